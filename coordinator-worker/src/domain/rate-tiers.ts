const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** A window is counted in so many slots: its edge slides by a sixtieth. */
const SLOTS = 60;

export type Tier = {
  readonly name: string;
  readonly limit: number;
  readonly windowMs: number;
  /**
   * A window that does not answer refuses. For what must not be had by flooding one's own window until it fails; all
   * others guard load, and let the request pass.
   */
  readonly failsClosed?: true;
};

/** What a healthy peer does stays far below its tier. */
export const TIERS = {
  authorize: { name: "authorize", limit: 300, windowMs: MINUTE_MS },
  /** All the peers of one user together. */
  authorizeUser: { name: "authorize-user", limit: 1_200, windowMs: MINUTE_MS },
  heartbeat: { name: "heartbeat", limit: 120, windowMs: MINUTE_MS },
  submit: { name: "submit", limit: 600, windowMs: MINUTE_MS },
  /** A run takes five calls. */
  hardware: { name: "hardware", limit: 120, windowMs: HOUR_MS },
  networks: { name: "networks", limit: 100, windowMs: HOUR_MS },
  admin: { name: "admin", limit: 300, windowMs: MINUTE_MS, failsClosed: true },
  /** Tries to log in: of one address, and as one person from wherever. */
  login: { name: "login", limit: 30, windowMs: 15 * MINUTE_MS, failsClosed: true },
  loginOfEmail: { name: "login-of-email", limit: 10, windowMs: 15 * MINUTE_MS, failsClosed: true },
  /** Registrations of peers that are known, by address. */
  renew: { name: "renew", limit: 600, windowMs: HOUR_MS },
  /** Device codes: begun from one address, asked about by one peer, typed in by one person. */
  device: { name: "device", limit: 30, windowMs: 15 * MINUTE_MS, failsClosed: true },
  devicePoll: { name: "device-poll", limit: 90, windowMs: MINUTE_MS },
  userCode: { name: "user-code", limit: 30, windowMs: 15 * MINUTE_MS, failsClosed: true },
  /** What a person who is logged in asks. */
  person: { name: "person", limit: 1_000, windowMs: HOUR_MS },
  /** Exports of all that is kept about a person. */
  ownData: { name: "own-data", limit: 10, windowMs: HOUR_MS },
  read: { name: "read", limit: 1_000, windowMs: HOUR_MS },
  /** Refused proofs of one address: whoever tries many gets no more answers that say why. */
  refused: { name: "refused", limit: 600, windowMs: HOUR_MS },
} as const satisfies Record<string, Tier>;

/** Calls of strangers for each registration that an address gets: one that registers and looks around needs few. */
const CALLS_OF_STRANGERS = 300;

/** Calls of peers that are not known to be registered, by address: whoever makes up keys is in no other window. */
export function strangersTier(registrationsPerHour: number): Tier {
  return {
    name: "strangers",
    limit: CALLS_OF_STRANGERS * registrationsPerHour,
    windowMs: HOUR_MS,
  };
}

/** What a whole network of addresses may do of what one address may do. */
const NEARBY_TIMES = 5;

/** New peers and people: of one address, and of the network around it. */
export function registerTiers(limit: number): { readonly own: Tier; readonly nearby: Tier } {
  const tier = { windowMs: HOUR_MS, failsClosed: true } as const;
  return {
    own: { name: "register", limit, ...tier },
    nearby: { name: "register-nearby", limit: NEARBY_TIMES * limit, ...tier },
  };
}

export type Admission = {
  readonly admitted: boolean;
  readonly remaining: number;
  /** Seconds until the oldest hit leaves the window: where the window is full, until the next one is admitted. */
  readonly resetSeconds: number;
  /** The first refusal of a window's length: worth a line in the audit. */
  readonly isNews?: boolean;
};

export type Decision = Admission & {
  readonly slot: number;
  readonly oldestSlot: number;
};

/** Whether one more hit fits into the window that ends now. */
export function admit(
  hits: readonly { readonly slot: number; readonly hits: number }[],
  tier: Tier,
  nowMs: number,
): Decision {
  const slotMs = tier.windowMs / SLOTS;
  const slot = Math.floor(nowMs / slotMs);
  const oldestSlot = slot - SLOTS + 1;
  const live = hits.filter((row) => row.slot >= oldestSlot);
  const used = live.reduce((sum, row) => sum + row.hits, 0);
  const first = Math.min(slot, ...live.map((row) => row.slot));
  const freeAtMs = (first + SLOTS) * slotMs;
  const resetSeconds = Math.max(1, Math.ceil((freeAtMs - nowMs) / 1_000));
  const admitted = used < tier.limit;
  const remaining = admitted ? tier.limit - used - 1 : 0;
  return { admitted, slot, oldestSlot, remaining, resetSeconds };
}
