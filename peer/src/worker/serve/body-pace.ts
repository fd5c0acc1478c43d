import type { Clock } from "../../clock";

/** A small body has to arrive within this. */
export const BODY_GRACE_MS = 10_000;
/** A large one has this long more for each byte, 32 KiB a second; */
const MS_PER_BYTE = 1_000 / (32 * 1_024);
/** but what was quick in the beginning must not pay for hours of nothing. */
const MOST_AHEAD_MS = 60_000;

/** The client kept its place waiting for longer than its bytes are worth. */
export class BodyTooSlow extends Error {
  override readonly name = "BodyTooSlow";
}

/** Resolves and rejects as `settling` does; throws `BodyTooSlow` where it takes longer than `ms`. */
export function inTime<T>(clock: Clock, ms: number, settling: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const disarm = clock.after(ms, () => reject(new BodyTooSlow()));
    settling.then(resolve, reject);
    settling.then(disarm, disarm);
  });
}

/**
 * The body's pieces. Only time in which a piece is waited for counts, not time in which the engine takes the last one.
 * Throws `BodyTooSlow`, or what the body throws when it breaks off.
 */
export async function* atPace(
  clock: Clock,
  body: ReadableStream<Uint8Array> | null,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (body === null) return;
  const reader = body.getReader();
  let leftMs = BODY_GRACE_MS;
  try {
    for (;;) {
      const fromMs = clock.steadyMs();
      const { value } = await inTime(clock, leftMs, reader.read());
      if (value === undefined) return;
      const waitedMs = clock.steadyMs() - fromMs;
      leftMs = Math.min(MOST_AHEAD_MS, leftMs - waitedMs + value.length * MS_PER_BYTE);
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {}); // It is over, or broken already.
  }
}
