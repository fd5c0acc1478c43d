import { between, oneOf, type Random } from "./random";
import type { StormNetwork, StormNode } from "./storm-network";

type Fault<Victim> = {
  readonly what: string;
  /** Something is taken away; the result brings it back. */
  readonly strike: (victim: Victim, random: Random) => Promise<() => Promise<void>>;
};

const NODE_FAULTS: readonly [Fault<StormNode>, ...Fault<StormNode>[]] = [
  {
    what: "is killed",
    async strike({ worker }) {
      await worker.killAndRestart();
      return async () => {};
    },
  },
  {
    what: "is restarted",
    async strike({ worker }) {
      await worker.restart();
      return async () => {};
    },
  },
  {
    what: "is frozen",
    async strike({ worker }) {
      worker.freeze();
      return async () => worker.thaw();
    },
  },
  {
    what: "has a slow engine",
    async strike({ engine }, random) {
      engine.configure({ firstTokenMs: between(random, 1_000, 6_000), tokensPerSecond: 4 });
      return async () => engine.configure({ firstTokenMs: 50, tokensPerSecond: 20 });
    },
  },
  {
    what: "has an engine that cuts streams",
    async strike({ engine }, random) {
      engine.setFault({ kind: "cut", after: between(random, 0, 6) });
      return async () => engine.setFault(null);
    },
  },
  {
    what: "has an engine that fails",
    async strike({ engine }, random) {
      engine.setFault({ kind: "error", status: oneOf(random, [500, 503, 429]) });
      return async () => engine.setFault(null);
    },
  },
];

const CENTRE_FAULTS: readonly [Fault<StormNetwork>, ...Fault<StormNetwork>[]] = [
  {
    what: "the coordinator is killed",
    async strike({ coordinator }) {
      await coordinator.killAndRestart();
      return async () => {};
    },
  },
  {
    what: "Postgres is away",
    async strike({ postgres }) {
      await postgres.takeDown();
      return postgres.bringUp;
    },
  },
  {
    what: "Redis is away, and what it kept",
    async strike({ redis }) {
      await redis.takeDown();
      return redis.bringUp;
    },
  },
];

const LEAST_MS = 1_000;
const LONGEST_MS = 8_000;

/** One after another for so long: something happens to one node, and by chance to the centre as well. */
export async function raiseStorm(
  network: StormNetwork,
  random: Random,
  forMs: number,
  say: (line: string) => void,
): Promise<void> {
  const startMs = performance.now();
  const elapsedMs = (): number => performance.now() - startMs;
  while (elapsedMs() < forMs) {
    const place = between(random, 0, network.nodes.length - 1);
    const node = network.nodes[place];
    if (node === undefined) throw new Error("There is no such node.");
    const fault = oneOf(random, NODE_FAULTS);
    const centre = random() < 0.4 ? oneOf(random, CENTRE_FAULTS) : undefined;
    const holdMs = between(random, LEAST_MS, LONGEST_MS);
    const also = centre === undefined ? "" : `, ${centre.what}`;
    const [atS, forS] = [elapsedMs(), holdMs].map((ms) => (ms / 1_000).toFixed(1));
    say(`${atS} s: node ${place} ${fault.what}${also}, for ${forS} s`);
    const undo = await Promise.all([fault.strike(node, random), centre?.strike(network, random)]);
    await Bun.sleep(holdMs);
    for (const bringBack of undo) await bringBack?.();
    await Bun.sleep(between(random, LEAST_MS, 2 * LEAST_MS));
  }
}
