import type { Candidate } from "#protocol/authorize";
import { type Circuit, createCircuit } from "./circuit";

/** No node says for how long it will be busy beyond this. */
const MOST_BUSY_MS = 60_000;
/** Share of a new measurement in the average. */
const WEIGHT = 0.3;
/** Expectations that differ by less, in milliseconds or as a share, say nothing about which node is better. */
const TIE_MS = 25;
const TIE_SHARE = 0.1;
/** A connection takes one round trip. Longer than a second, so that the packet that asks for it may be lost once. */
const MOST_CONNECT_MS = 1_400;
const LEAST_CONNECT_MS = 300;
/** An engine that fails so often in a row fails at everything. */
const MOST_ENGINE_FAILURES = 3;
/** What is known of a node that was not used for so long is forgotten. */
const KEPT_MS = 60 * 60_000;

type Ranked = Pick<Candidate, "node_id" | "expected_ms" | "own">;
type Tried = (nodeId: string) => boolean;

/** What this client has seen of each node itself, in all of its requests. */
export type NodeOrder = {
  /**
   * Where the next attempt goes: own nodes first, then the least of what the coordinator expects of a node and the round
   * trip measured from here; of those that are as good, the one with the least to do. `undefined`: none takes requests.
   */
  next<Node extends Ranked>(nodes: readonly Node[], isTried: Tried): Node | undefined;
  /** Where none takes requests: the one that will be the first to, busy ones before failing ones. */
  lastResort<Node extends Ranked>(nodes: readonly Node[], isTried: Tried): Node | undefined;
  /** It failed, and was not found to be back; being busy is no failure. */
  isFailing(nodeId: string): boolean;
  /** How long connecting to it may take, by the round trips that were measured. */
  connectWithinMs(nodeId: string): number;
  /** A request goes to it; the result says that it has ended, whatever came of it. */
  begun(nodeId: string): () => void;
  /** A round trip took so long. */
  measured(nodeId: string, roundTripMs: number): void;
  /** It answered by itself. */
  answered(nodeId: string): void;
  failed(nodeId: string): void;
  /** Its engine did: at this request, or at any. */
  engineFailed(nodeId: string): void;
  busy(nodeId: string, forMs: number): void;
  /** Whether it is to be probed now, by whoever asks; the result has to be told. */
  takeProbe(nodeId: string): boolean;
  probed(nodeId: string, isThere: boolean): void;
  /** Forgets what is too old to be of use. */
  tend(): void;
};

type Seen = {
  readonly circuit: Circuit;
  /** Average, and average deviation from it. */
  roundTripMs: number | undefined;
  deviationMs: number;
  busyUntilMs: number;
  running: number;
  /** In a row. */
  engineFailures: number;
  usedAtMs: number;
};

export function createNodeOrder(
  nowMs: () => number,
  random: () => number = Math.random,
): NodeOrder {
  const nodes = new Map<string, Seen>();

  function seen(nodeId: string): Seen {
    let one = nodes.get(nodeId);
    if (one === undefined) {
      const circuit = createCircuit({ nowMs, random });
      const none = { roundTripMs: undefined, deviationMs: 0, busyUntilMs: 0, running: 0 };
      nodes.set(nodeId, (one = { circuit, ...none, engineFailures: 0, usedAtMs: nowMs() }));
    }
    return one;
  }
  const costMs = (node: Ranked): number => node.expected_ms + (seen(node.node_id).roundTripMs ?? 0);

  return {
    next(candidates, isTried) {
      const now = nowMs();
      let open: (typeof candidates)[number][] = [];
      let bestMs = Infinity;
      let isOwn = false;
      for (const node of candidates) {
        const { circuit, busyUntilMs } = seen(node.node_id);
        if (circuit.isOpen || busyUntilMs > now || isTried(node.node_id)) continue;
        if (isOwn && !node.own) continue;
        if (node.own && !isOwn) {
          isOwn = true;
          open = [];
          bestMs = Infinity;
        }
        open.push(node);
        bestMs = Math.min(bestMs, costMs(node));
      }
      if (open.length < 2) return open[0];
      const mostMs = bestMs + Math.max(TIE_MS, bestMs * TIE_SHARE);
      const ties = open.filter((node) => costMs(node) <= mostMs);
      return least(ties, (node) => seen(node.node_id).running, random);
    },
    lastResort(candidates, isTried) {
      const left = candidates.filter(({ node_id }) => !isTried(node_id));
      const waitMs = ({ node_id }: Ranked): number => {
        const { circuit, busyUntilMs } = seen(node_id);
        return circuit.isOpen ? MOST_BUSY_MS + circuit.untilMs : busyUntilMs;
      };
      return least(left, waitMs, random);
    },
    isFailing: (nodeId) => nodes.get(nodeId)?.circuit.isOpen === true,
    connectWithinMs(nodeId) {
      const { roundTripMs, deviationMs } = seen(nodeId);
      if (roundTripMs === undefined) return MOST_CONNECT_MS;
      const usualMs = 4 * (roundTripMs + 4 * deviationMs);
      return Math.min(MOST_CONNECT_MS, Math.max(LEAST_CONNECT_MS, usualMs));
    },
    begun(nodeId) {
      const one = seen(nodeId);
      one.running += 1;
      one.usedAtMs = nowMs();
      one.circuit.begun();
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        one.running -= 1;
        one.circuit.leftOff();
      };
    },
    measured(nodeId, ms) {
      const one = seen(nodeId);
      if (one.roundTripMs === undefined) {
        one.roundTripMs = ms;
        one.deviationMs = ms / 2;
        return;
      }
      one.deviationMs += WEIGHT * (Math.abs(ms - one.roundTripMs) - one.deviationMs);
      one.roundTripMs += WEIGHT * (ms - one.roundTripMs);
    },
    answered(nodeId) {
      const one = seen(nodeId);
      one.circuit.answered();
      one.busyUntilMs = 0;
      one.engineFailures = 0;
    },
    failed: (nodeId) => seen(nodeId).circuit.failed(),
    engineFailed(nodeId) {
      const one = seen(nodeId);
      one.engineFailures += 1;
      if (one.engineFailures >= MOST_ENGINE_FAILURES) one.circuit.failed();
      else one.circuit.leftOff();
    },
    busy(nodeId, forMs) {
      seen(nodeId).busyUntilMs = nowMs() + Math.min(forMs, MOST_BUSY_MS);
    },
    takeProbe: (nodeId) => nodes.get(nodeId)?.circuit.takeProbe() === true,
    probed: (nodeId, isThere) => seen(nodeId).circuit.probed(isThere),
    tend() {
      for (const [nodeId, { usedAtMs, running }] of nodes) {
        if (running === 0 && nowMs() - usedAtMs > KEPT_MS) nodes.delete(nodeId);
      }
    },
  };
}

/** One of those with the least value, at random. */
function least<Value>(
  values: readonly Value[],
  of: (value: Value) => number,
  random: () => number,
): Value | undefined {
  let best: Value | undefined;
  let bestOf = Infinity;
  let asGood = 0;
  for (const value of values) {
    const own = of(value);
    if (own > bestOf) continue;
    asGood = own < bestOf ? 1 : asGood + 1;
    bestOf = own;
    // Each of those that are as good has the same chance.
    if (asGood === 1 || random() * asGood < 1) best = value;
  }
  return best;
}
