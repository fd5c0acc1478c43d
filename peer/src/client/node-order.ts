/** A node that failed is tried last for so long. */
const FAILED_FOR_MS = 15_000;
/** Share of a new measurement in the average. */
const WEIGHT = 0.2;
/** Differences below this say nothing about which node is nearer. */
const TIE_MS = 2;

/** What this client has seen of each node itself. */
export type NodeOrder = {
  /** Best first: not failed lately, then the shortest time to connect and answer. */
  ranked<Node extends { readonly node_id: string }>(nodes: readonly Node[]): Node[];
  answered(nodeId: string, ms: number): void;
  failed(nodeId: string): void;
};

export function createNodeOrder(
  nowMs: () => number,
  random: () => number = Math.random,
): NodeOrder {
  const averageMs = new Map<string, number>();
  const failedAtMs = new Map<string, number>();

  function rank(nodeId: string): readonly [failed: number, ms: number] {
    const failed = nowMs() - (failedAtMs.get(nodeId) ?? -Infinity) < FAILED_FOR_MS ? 1 : 0;
    return [failed, Math.floor((averageMs.get(nodeId) ?? 0) / TIE_MS)];
  }

  return {
    ranked(nodes) {
      return nodes
        .map((node) => ({ node, rank: rank(node.node_id), tie: random() }))
        .toSorted((a, b) => a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1] || a.tie - b.tie)
        .map(({ node }) => node);
    },
    answered(nodeId, ms) {
      const before = averageMs.get(nodeId);
      averageMs.set(nodeId, before === undefined ? ms : before + WEIGHT * (ms - before));
      failedAtMs.delete(nodeId);
    },
    failed(nodeId) {
      failedAtMs.set(nodeId, nowMs());
    },
  };
}
