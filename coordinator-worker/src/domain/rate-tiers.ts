const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** A window is counted in so many slots: its edge slides by a sixtieth. */
const SLOTS = 60;

export type Tier = { readonly name: string; readonly limit: number; readonly windowMs: number };

/** What a healthy peer does stays far below its tier. */
export const TIERS = {
  authorize: { name: "authorize", limit: 300, windowMs: MINUTE_MS },
  heartbeat: { name: "heartbeat", limit: 120, windowMs: MINUTE_MS },
  submit: { name: "submit", limit: 600, windowMs: MINUTE_MS },
  read: { name: "read", limit: 1_000, windowMs: HOUR_MS },
} as const satisfies Record<string, Tier>;

export function registerTier(limit: number): Tier {
  return { name: "register", limit, windowMs: HOUR_MS };
}

export type Admission = {
  readonly admitted: boolean;
  readonly slot: number;
  readonly oldestSlot: number;
  readonly remaining: number;
  /** Seconds until a hit would be admitted; 0 where it was. */
  readonly retryAfterSeconds: number;
};

/** Whether one more hit fits into the window that ends now. */
export function admit(
  hits: readonly { readonly slot: number; readonly hits: number }[],
  tier: Tier,
  nowMs: number,
): Admission {
  const slotMs = tier.windowMs / SLOTS;
  const slot = Math.floor(nowMs / slotMs);
  const oldestSlot = slot - SLOTS + 1;
  const live = hits.filter((row) => row.slot >= oldestSlot);
  const used = live.reduce((sum, row) => sum + row.hits, 0);
  if (used < tier.limit) {
    return {
      admitted: true,
      slot,
      oldestSlot,
      remaining: tier.limit - used - 1,
      retryAfterSeconds: 0,
    };
  }
  const first = Math.min(...live.map((row) => row.slot));
  const freeAtMs = (first + SLOTS) * slotMs;
  const retryAfterSeconds = Math.max(1, Math.ceil((freeAtMs - nowMs) / 1_000));
  return { admitted: false, slot, oldestSlot, remaining: 0, retryAfterSeconds };
}
