import { createCrowd, type Crowd } from "../../crowd";
import type { NodeProbe } from "./probe-node";

/** Looks at what is silent, and at nodes; called about once a second. */
export type SilenceWatch = {
  /** A request waits for bytes of the node at `url`. `cut` is called once where the node turns out to be gone. */
  begin(url: string, cut: () => void): Exchange;
  tick(): void;
  /** Cuts what has begun to come, from whichever node. */
  cutBegun(): void;
};

export type Exchange = {
  /** Something came. */
  readonly heard: () => void;
  readonly end: () => void;
};

/** Ticks without a byte before a node is asked for a sign of life, and between one sign and the next question. */
const SILENT_TICKS = 2;
const TRUSTED_TICKS = 5;
/** A machine under load may miss one question; whose address cannot be reached is asked once. */
const MOST_UNANSWERED = 2;

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
export function createSilenceWatch(probe: (url: string) => Promise<NodeProbe>): SilenceWatch {
  const nodes = new Map<string, Node>();
  let tick = 0;

  async function ask(url: string, node: Node): Promise<void> {
    node.isAsked = true;
    const { state } = await probe(url);
    node.isAsked = false;
    if (state === "there") {
      node.unanswered = 0;
      node.nextTick = tick + TRUSTED_TICKS;
      return;
    }
    node.unanswered += 1;
    if (state === "silent" && node.unanswered < MOST_UNANSWERED) return;
    node.unanswered = 0;
    // What it sent meanwhile speaks for itself.
    for (const one of node.waiting.all()) if (one.silentTicks >= SILENT_TICKS) one.cut();
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
          isSilent ||= one.silentTicks >= SILENT_TICKS;
        }
        if (node.waiting.size === 0 && !node.isAsked) nodes.delete(url);
        else if (isSilent && !node.isAsked && tick >= node.nextTick) void ask(url, node);
      }
    },
  };
}
