import { createCrowd, type Crowd } from "../../crowd";
import type { NodeProbe } from "./probe-node";

/** Looks at what is silent, and at nodes; called about once a second. */
export type SilenceWatch = {
  /** A request waits for bytes of the node at `url`. `cut` is called once where the node turns out to be gone. */
  begin(url: string, cut: () => void): Exchange;
  readonly tick: () => void;
  /** Cuts what has begun to come, from whichever node. */
  readonly cutBegun: () => void;
};

export type Exchange = {
  /** Something came. */
  readonly heard: () => void;
  readonly end: () => void;
};

export type SilenceLimits = {
  /** Without a byte before a sign of life is asked for. */
  readonly silentTicks: number;
  /** Between a sign, or a question without an answer, and the next question. */
  readonly trustedTicks: number;
  readonly againTicks: number;
  /** Questions in a row; whose address cannot be reached is asked once. */
  readonly mostUnanswered: number;
};

/** A node answers whatever its engine does; under load it may miss one question. */
const NODE_LIMITS: SilenceLimits = {
  silentTicks: 2,
  trustedTicks: 5,
  againTicks: 0,
  mostUnanswered: 2,
};

type Waiting = { silentTicks: number; hasBegun: boolean; readonly cut: () => void };
type Node = {
  readonly waiting: Crowd<Waiting>;
  isAsked: boolean;
  unanswered: number;
  nextTick: number;
};

/**
 * Tells a node that thinks from one that is gone: a first token may take an hour, and a machine that lost its power sends
 * nothing either, not even an end. Requests cost no timer of their own, and their bytes no look at a clock.
 */
export function createSilenceWatch(
  probe: (url: string) => Promise<Pick<NodeProbe, "state">>,
  limits: SilenceLimits = NODE_LIMITS,
): SilenceWatch {
  const { silentTicks, mostUnanswered } = limits;
  const nodes = new Map<string, Node>();
  let tick = 0;

  async function ask(url: string, node: Node): Promise<void> {
    node.isAsked = true;
    const { state } = await probe(url);
    node.isAsked = false;
    if (state === "there") {
      node.unanswered = 0;
      node.nextTick = tick + limits.trustedTicks;
      return;
    }
    node.unanswered += 1;
    node.nextTick = tick + limits.againTicks;
    if (state === "silent" && node.unanswered < mostUnanswered) return;
    node.unanswered = 0;
    // What it sent meanwhile speaks for itself.
    for (const one of node.waiting.all()) if (one.silentTicks >= silentTicks) one.cut();
  }

  return {
    begin(url, cut) {
      let node = nodes.get(url);
      if (node === undefined) {
        node = { waiting: createCrowd<Waiting>(), isAsked: false, unanswered: 0, nextTick: 0 };
        nodes.set(url, node);
      }
      const { waiting } = node;
      const one = { silentTicks: 0, hasBegun: false, cut };
      const place = waiting.enter(one);
      return {
        heard() {
          one.silentTicks = 0;
          one.hasBegun = true;
        },
        end: () => void waiting.leave(place),
      };
    },
    cutBegun() {
      for (const { waiting } of nodes.values()) {
        for (const one of waiting.all()) if (one.hasBegun) one.cut();
      }
    },
    tick() {
      tick += 1;
      for (const [url, node] of nodes) {
        let isSilent = false;
        for (const one of node.waiting.all()) {
          one.silentTicks += 1;
          isSilent ||= one.silentTicks >= silentTicks;
        }
        if (!isSilent) node.unanswered = 0;
        if (node.waiting.size === 0 && !node.isAsked) nodes.delete(url);
        else if (isSilent && !node.isAsked && tick >= node.nextTick) void ask(url, node);
      }
    },
  };
}
