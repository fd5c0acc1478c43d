/** How long an epoch is: B and what it is checked with are made once for each, and each has one round. */
const EPOCH_MS = 2 * 60 * 60_000;
/** No round is so near an epoch's beginning or end that its notice or its challenges would belong to another one. */
const ROUND_ROOM_MS = 30_000;
/** Nodes are told so long before: longer than between two heartbeats, so that all of them hear it. */
const NOTICE_MS = 25_000;
/** A challenge asked for so early (clocks differ) or so late (networks are slow) is still one of the round's. */
const EARLY_MS = 250;
const LATE_MS = 2_000;

export function epochOf(nowMs: number): number {
  return Math.floor(nowMs / EPOCH_MS);
}

/** When the epoch's round is, from four secret bytes: nobody knows it before it is told. */
export function roundAtMs(epoch: number, secret: Uint8Array): number {
  const view = new DataView(secret.buffer, secret.byteOffset, secret.byteLength);
  const part = view.getUint32(0) / 2 ** 32;
  return epoch * EPOCH_MS + ROUND_ROOM_MS + Math.floor(part * (EPOCH_MS - 2 * ROUND_ROOM_MS));
}

/** Milliseconds until the round, where it is time to tell. */
export function roundIn(atMs: number, nowMs: number): number | undefined {
  const inMs = atMs - nowMs;
  return inMs > 0 && inMs <= NOTICE_MS ? inMs : undefined;
}

/** Whether a challenge that is asked for now is one of the round. */
export function isInRound(atMs: number, nowMs: number): boolean {
  return nowMs >= atMs - EARLY_MS && nowMs <= atMs + LATE_MS;
}
