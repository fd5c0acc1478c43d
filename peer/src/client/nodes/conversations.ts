/** Which node answered a conversation last: it has the beginning in its memory, and goes on sooner. */
export type Conversations = {
  nodeOf(key: number): string | undefined;
  /** A turn of it goes to this node. */
  pin(key: number, nodeId: string): void;
  /** Conversations that a node had a turn of lately. */
  countOf(nodeId: string): number;
  /** Forgets those that have been quiet for long. */
  tend(): void;
};

const MOST_KEPT = 20_000;
/** Engines keep a prompt for minutes, some for as long as there is room. */
const QUIET_MS = 30 * 60_000;

type Pin = { readonly nodeId: string; readonly atMs: number };

export function createConversations(nowMs: () => number): Conversations {
  /** The quietest first. */
  const pins = new Map<number, Pin>();
  const counts = new Map<string, number>();

  function count(nodeId: string, by: 1 | -1): void {
    const sum = (counts.get(nodeId) ?? 0) + by;
    if (sum === 0) counts.delete(nodeId);
    else counts.set(nodeId, sum);
  }
  function forget(key: number): void {
    const pin = pins.get(key);
    if (pin === undefined) return;
    pins.delete(key);
    count(pin.nodeId, -1);
  }

  return {
    nodeOf: (key) => pins.get(key)?.nodeId,
    pin(key, nodeId) {
      if (pins.get(key)?.nodeId === nodeId) {
        pins.delete(key); // Behind the others again.
      } else {
        forget(key);
        count(nodeId, 1);
      }
      pins.set(key, { nodeId, atMs: nowMs() });
      if (pins.size > MOST_KEPT) for (const [quietest] of pins) return forget(quietest);
    },
    countOf: (nodeId) => counts.get(nodeId) ?? 0,
    tend() {
      const beforeMs = nowMs() - QUIET_MS;
      for (const [key, { atMs }] of pins) {
        if (atMs > beforeMs) return;
        forget(key);
      }
    },
  };
}
