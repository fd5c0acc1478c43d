import type { Candidate } from "#protocol/authorize";

/** A node that failed is tried last for so long. */
const FAILED_FOR_MS = 15_000;
/** No node says for how long it will be busy beyond this. */
const MOST_BUSY_MS = 60_000;
/** Share of a new measurement in the average. */
const WEIGHT = 0.3;
/** Expectations that differ by less, in milliseconds or as a share, say nothing about which node is better. */
const TIE_MS = 2;
const TIE_SHARE = 0.1;

type Ranked = Pick<Candidate, "node_id" | "expected_ms">;

/** What this client has seen of each node itself. */
export type NodeOrder = {
  /**
   * Best first: what the coordinator expects of a node plus the round trip measured from here, ties at random. Nodes
   * that failed or said that they are busy come last, for as long as that counts.
   */
  ranked<Node extends Ranked>(nodes: readonly Node[]): Node[];
  /** It failed lately; being busy is no failure. */
  isFailing(nodeId: string): boolean;
  /** A round trip took so long. */
  measured(nodeId: string, roundTripMs: number): void;
  /** It answered by itself. */
  answered(nodeId: string): void;
  failed(nodeId: string): void;
  busy(nodeId: string, forMs: number): void;
};

export function createNodeOrder(
  nowMs: () => number,
  random: () => number = Math.random,
): NodeOrder {
  const roundTripMs = new Map<string, number>();
  const failingUntilMs = new Map<string, number>();
  const busyUntilMs = new Map<string, number>();
  /** 0: it may be tried now. */
  function avoidUntilMs(nodeId: string): number {
    const untilMs = Math.max(failingUntilMs.get(nodeId) ?? 0, busyUntilMs.get(nodeId) ?? 0);
    return untilMs > nowMs() ? untilMs : 0;
  }

  return {
    isFailing: (nodeId) => (failingUntilMs.get(nodeId) ?? 0) > nowMs(),
    ranked(nodes) {
      const seen = nodes.map((node) => ({
        node,
        costMs: node.expected_ms + (roundTripMs.get(node.node_id) ?? 0),
        untilMs: avoidUntilMs(node.node_id),
        tie: random(),
      }));
      const open = seen.filter(({ untilMs }) => untilMs === 0);
      const bestMs = Math.min(...open.map(({ costMs }) => costMs));
      const isTie = (costMs: number): boolean =>
        costMs - bestMs <= Math.max(TIE_MS, bestMs * TIE_SHARE);
      return seen
        .map((one) => ({ ...one, costMs: isTie(one.costMs) ? bestMs : one.costMs }))
        .toSorted((a, b) => a.untilMs - b.untilMs || a.costMs - b.costMs || a.tie - b.tie)
        .map(({ node }) => node);
    },
    measured(nodeId, ms) {
      const before = roundTripMs.get(nodeId);
      roundTripMs.set(nodeId, before === undefined ? ms : before + WEIGHT * (ms - before));
    },
    answered(nodeId) {
      failingUntilMs.delete(nodeId);
      busyUntilMs.delete(nodeId);
    },
    failed(nodeId) {
      failingUntilMs.set(nodeId, nowMs() + FAILED_FOR_MS);
    },
    busy(nodeId, forMs) {
      busyUntilMs.set(nodeId, nowMs() + Math.min(forMs, MOST_BUSY_MS));
    },
  };
}
