import type { Candidate, NodeObservation } from "#protocol/authorize";
import { type Circuit, createCircuit } from "./circuit";
import { createConversations } from "./conversations";
import { least, mixed } from "./pick";

/** No node says for how long it will be busy beyond this. */
const MOST_BUSY_MS = 60_000;
/** Share of a new measurement in the average. */
const WEIGHT = 0.3;
/** Expectations that differ by less, in milliseconds or as a share, say nothing about which node is better. */
const TIE_MS = 50;
const TIE_SHARE = 0.1;
/** Share of the average by which a node may have more conversations than one that is as good. */
const MOST_AHEAD = 0.15;
/** Requests and conversations for each node, beyond which more nodes are looked for. */
const CROWDED_RUNNING = 2;
const CROWDED_CONVERSATIONS = 4;
/** A connection takes one round trip. Longer than a second, so that the packet that asks for it may be lost once. */
const MOST_CONNECT_MS = 1_400;
const LEAST_CONNECT_MS = 500;
/** Round trips change, and one that this machine was too busy to see the end of looks long. */
const MEASURE_EVERY_MS = 30_000;
/** An engine that fails so often in a row fails at everything. */
const MOST_ENGINE_FAILURES = 3;
/** Of one report to the coordinator. */
const MOST_TOLD = 32;
const MOST_TIMES = 1_000;
/** What is known of a node that was not used for so long is forgotten. */
const KEPT_MS = 60 * 60_000;

type Ranked = { readonly node: Pick<Candidate, "node_id" | "expected_ms" | "own"> };
type Tried = (nodeId: string) => boolean;

/** What this client has seen of each node itself, in all of its requests. */
export type NodeOrder = {
  /**
   * Where the next attempt goes: preferred nodes first, then own ones, then the least of what the coordinator expects of a node and the round
   * trip measured from here. A conversation that has a number goes on where it was; others spread over those that are
   * as good as the best. `undefined`: none takes requests.
   */
  next<Place extends Ranked>(
    places: readonly Place[],
    isTried: Tried,
    conversation?: number,
  ): Place | undefined;
  /** Where none takes requests: the one that will be the first to, busy ones before failing ones. */
  lastResort<Place extends Ranked>(places: readonly Place[], isTried: Tried): Place | undefined;
  /** Conversations that a node had a turn of lately. */
  conversationsOf(nodeId: string): number;
  /** Whether these nodes have as much to do, from here, as should make a client look for more of them. */
  isCrowded(nodes: readonly Ranked["node"][]): boolean;
  /** Milliseconds until the first of them takes requests again; 0 where one does. */
  freeInMs(nodeIds: readonly string[]): number;
  /** Milliseconds after which another try may find one of them back; `undefined`: none is likely to be just starting again. */
  backInMs(nodeIds: readonly string[]): number | undefined;
  /** It failed, and was not found to be back; being busy is no failure. */
  isFailing(nodeId: string): boolean;
  /** How long connecting to it may take, by the round trips that were measured. */
  connectWithinMs(nodeId: string): number;
  /** A request goes to it, maybe a turn of a conversation; the result says that it has ended, whatever came of it. */
  begun(nodeId: string, conversation?: number): () => void;
  /** What comes of this conversation is to go to this node. */
  pin(conversation: number, nodeId: string): void;
  /** Whether a round trip is to be measured now, by whoever asks. */
  takeMeasure(nodeId: string): boolean;
  /** A round trip took so long. */
  measured(nodeId: string, roundTripMs: number): void;
  /** It answered by itself. */
  answered(nodeId: string): void;
  failed(nodeId: string): void;
  /** Its engine did: at this request, or at any. */
  engineFailed(nodeId: string): void;
  busy(nodeId: string, forMs: number): void;
  /** What was not told to the coordinator yet: nodes that failed or were busy, how often. */
  observations(): NodeObservation[];
  /** It has been told. */
  observed(told: readonly NodeObservation[]): void;
  /** Whether it is to be probed now, by whoever asks; the result has to be told. */
  takeProbe(nodeId: string): boolean;
  probed(nodeId: string, isThere: boolean): void;
  /** Forgets what is too old to be of use. */
  tend(): void;
};

type Seen = {
  failed: number;
  full: number;
  /** Of its id. */
  readonly hash: number;
  readonly circuit: Circuit;
  /** Average, and average deviation from it. */
  roundTripMs: number | undefined;
  deviationMs: number;
  measuredAtMs: number;
  busyUntilMs: number;
  running: number;
  /** In a row. */
  engineFailures: number;
  usedAtMs: number;
};

export type OrderOptions = {
  readonly random?: () => number;
  /** Ids of nodes that the user wants before others. */
  readonly prefer?: readonly string[];
};

export function createNodeOrder(
  nowMs: () => number,
  { random = Math.random, prefer = [] }: OrderOptions = {},
): NodeOrder {
  const nodes = new Map<string, Seen>();
  const conversations = createConversations(nowMs);

  function seen(nodeId: string): Seen {
    let one = nodes.get(nodeId);
    if (one === undefined) {
      const circuit = createCircuit({ nowMs, random });
      const none = {
        roundTripMs: undefined,
        deviationMs: 0,
        measuredAtMs: -Infinity,
        busyUntilMs: 0,
        running: 0,
      };
      const hash = Bun.hash.xxHash32(nodeId);
      one = { hash, circuit, ...none, engineFailures: 0, usedAtMs: nowMs(), failed: 0, full: 0 };
      nodes.set(nodeId, one);
    }
    return one;
  }
  const turnOf = ({ node }: Ranked): number => {
    if (prefer.includes(node.node_id)) return 0;
    return node.own ? 1 : 2;
  };
  const costMs = ({ node }: Ranked): number =>
    node.expected_ms + (seen(node.node_id).roundTripMs ?? 0);

  /**
   * A place that the conversation's number chooses, so that it is the same one next time, also after a restart; but none
   * that has had many more conversations than the others.
   */
  function fairPlace<Place extends Ranked>(
    places: readonly Place[],
    conversation: number,
  ): Place | undefined {
    const counts = places.map(({ node }) => conversations.countOf(node.node_id));
    const average = counts.reduce((sum, count) => sum + count, 0) / places.length;
    const most = Math.min(...counts) + MOST_AHEAD * average;
    const fair = places.filter((_, at) => (counts[at] ?? 0) <= most);
    return least(fair, ({ node }) => mixed(conversation, seen(node.node_id).hash), random);
  }

  return {
    next(places, isTried, conversation) {
      const now = nowMs();
      const pinned = conversation === undefined ? undefined : conversations.nodeOf(conversation);
      let open: (typeof places)[number][] = [];
      let bestMs = Infinity;
      let bestTurn = Infinity;
      for (const place of places) {
        const { node_id } = place.node;
        const turn = turnOf(place);
        const { circuit, busyUntilMs } = seen(node_id);
        if (circuit.isOpen || busyUntilMs > now || isTried(node_id)) continue;
        if (turn > bestTurn) continue;
        if (turn < bestTurn) {
          bestTurn = turn;
          open = [];
          bestMs = Infinity;
        }
        open.push(place);
        bestMs = Math.min(bestMs, costMs(place));
      }
      if (open.length < 2) return open[0];
      const before = open.find(({ node }) => node.node_id === pinned);
      if (before !== undefined) return before;
      const mostMs = bestMs + Math.max(TIE_MS, bestMs * TIE_SHARE);
      const ties = open.filter((place) => costMs(place) <= mostMs);
      if (conversation !== undefined) return fairPlace(ties, conversation);
      return least(ties, ({ node }) => seen(node.node_id).running, random);
    },
    lastResort(places, isTried) {
      const left = places.filter(({ node }) => !isTried(node.node_id));
      const waitMs = ({ node }: Ranked): number => {
        const { circuit, busyUntilMs } = seen(node.node_id);
        return circuit.isOpen ? MOST_BUSY_MS + circuit.untilMs : busyUntilMs;
      };
      return least(left, waitMs, random);
    },
    conversationsOf: (nodeId) => conversations.countOf(nodeId),
    isCrowded(crowd) {
      const running = crowd.reduce((sum, { node_id }) => sum + seen(node_id).running, 0);
      const talking = crowd.reduce((sum, { node_id }) => sum + conversations.countOf(node_id), 0);
      return (
        running > CROWDED_RUNNING * crowd.length || talking > CROWDED_CONVERSATIONS * crowd.length
      );
    },
    freeInMs(nodeIds) {
      const busyUntil = nodeIds.map((nodeId) => seen(nodeId).busyUntilMs);
      return Math.max(0, Math.min(...busyUntil) - nowMs());
    },
    backInMs(nodeIds) {
      const all = nodeIds.flatMap((nodeId) => nodes.get(nodeId)?.circuit.backInMs ?? []);
      return all.length === 0 ? undefined : Math.min(...all);
    },
    isFailing: (nodeId) => nodes.get(nodeId)?.circuit.isOpen === true,
    connectWithinMs(nodeId) {
      const { roundTripMs, deviationMs } = seen(nodeId);
      if (roundTripMs === undefined) return MOST_CONNECT_MS;
      const usualMs = 4 * (roundTripMs + 4 * deviationMs);
      return Math.min(MOST_CONNECT_MS, Math.max(LEAST_CONNECT_MS, usualMs));
    },
    begun(nodeId, conversation) {
      const one = seen(nodeId);
      if (conversation !== undefined) conversations.pin(conversation, nodeId);
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
    pin: (conversation, nodeId) => conversations.pin(conversation, nodeId),
    takeMeasure(nodeId) {
      const one = seen(nodeId);
      if (one.circuit.isOpen || nowMs() - one.measuredAtMs < MEASURE_EVERY_MS) return false;
      one.measuredAtMs = nowMs();
      return true;
    },
    measured(nodeId, ms) {
      const one = seen(nodeId);
      one.measuredAtMs = nowMs();
      if (one.roundTripMs === undefined) {
        one.roundTripMs = ms;
        one.deviationMs = ms / 2;
        return;
      }
      one.deviationMs += WEIGHT * (Math.abs(ms - one.roundTripMs) - one.deviationMs);
      // Nothing makes a round trip shorter than it is.
      one.roundTripMs = Math.min(ms, one.roundTripMs + WEIGHT * (ms - one.roundTripMs));
    },
    answered(nodeId) {
      const one = seen(nodeId);
      one.circuit.answered();
      one.busyUntilMs = 0;
      one.engineFailures = 0;
    },
    failed(nodeId) {
      const one = seen(nodeId);
      one.failed += 1;
      one.circuit.failed();
    },
    engineFailed(nodeId) {
      const one = seen(nodeId);
      one.engineFailures += 1;
      one.failed += 1;
      if (one.engineFailures >= MOST_ENGINE_FAILURES) one.circuit.failed();
      else one.circuit.leftOff();
    },
    busy(nodeId, forMs) {
      const one = seen(nodeId);
      one.full += 1;
      one.busyUntilMs = nowMs() + Math.min(forMs, MOST_BUSY_MS);
    },
    observations() {
      const all: NodeObservation[] = [];
      for (const [node_id, { failed, full }] of nodes) {
        if (failed + full === 0 || all.length === MOST_TOLD) continue;
        all.push({
          node_id,
          failed: Math.min(failed, MOST_TIMES),
          full: Math.min(full, MOST_TIMES),
        });
      }
      return all;
    },
    observed(told) {
      for (const { node_id, failed, full } of told) {
        const one = seen(node_id);
        // Both at once may have been told by two calls under way.
        one.failed = Math.max(0, one.failed - failed);
        one.full = Math.max(0, one.full - full);
      }
    },
    takeProbe: (nodeId) => nodes.get(nodeId)?.circuit.takeProbe() === true,
    probed: (nodeId, isThere) => seen(nodeId).circuit.probed(isThere),
    tend() {
      conversations.tend();
      for (const [nodeId, { usedAtMs, running }] of nodes) {
        if (running === 0 && nowMs() - usedAtMs > KEPT_MS) nodes.delete(nodeId);
      }
    },
  };
}
