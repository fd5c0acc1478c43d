import { startBenchNetwork } from "./bench-network";
import { startListening } from "./child-process";
import { startEngine } from "./demo-engine";
import type { PaceResult } from "./load/pace-load";
import { makeLoad } from "./load/plan";
import type { Figure, Part } from "./part";
import type { Scope } from "./scope";
import { quantile } from "./stats";

const BARE_PROXY = import.meta.resolve("./bare-proxy.ts");
const STREAMS = 200;
/** About what one card answers at once. */
const STREAMS_OF_A_NODE = 20;
const TOKENS_PER_SECOND = 50;
/** The 15 µs of the target are what a hop costs here that only receives and sends (docs/decisions/0014). */
const MOST_OF_BARE_CPU = 2;

export const pace: Part = {
  name: "pace",
  summary: `what client and worker add between two tokens, at ${STREAMS} streams of ${TOKENS_PER_SECOND} tokens/s`,
  run,
};

async function run(scope: Scope): Promise<Figure[]> {
  const tokens = 10 * TOKENS_PER_SECOND;
  const engine = await startEngine(scope, {
    tokensPerSecond: TOKENS_PER_SECOND,
    tokensPerAnswer: tokens,
  });
  const near = await startListening(scope, BARE_PROXY, [engine.url]);
  const far = await startListening(scope, BARE_PROXY, [near.url]);
  const network = await startBenchNetwork(scope, engine.url);
  const { client, worker } = network;
  const load = async (streams: number): Promise<Ways> =>
    waysOf(
      await makeLoad(scope, {
        kind: "pace",
        ways: {
          direct: { url: engine.url, processes: {} },
          bare: { url: far.url, processes: { near: [near.pid], far: [far.pid] } },
          troop: {
            url: network.baseUrl,
            processes: { client: [client.process.pid], worker: [worker.process.pid] },
          },
        },
        streams,
        tokens,
        tokensPerSecond: TOKENS_PER_SECOND,
        rounds: 3,
      }),
    );
  return [...figures(await load(STREAMS)), ...delays(await load(STREAMS_OF_A_NODE))];
}

type Seen = PaceResult[string];
type Ways = Readonly<Record<"direct" | "bare" | "troop", Seen>>;

function waysOf({ direct, bare, troop }: PaceResult): Ways {
  if (direct === undefined || bare === undefined || troop === undefined) {
    throw new Error("a way was not measured");
  }
  return { direct, bare, troop };
}

function delay(ways: Ways, name: "bare" | "troop"): Pick<Figure, "unit" | "measured" | "note"> {
  const { [name]: way, direct } = ways;
  const told = ({ gapMs }: Seen): string =>
    `${quantile(gapMs, 0.5).toFixed(2)}, ${quantile(gapMs, 0.99).toFixed(2)} ms`;
  return {
    unit: "ms",
    measured: quantile(way.gapMs, 0.99) - quantile(direct.gapMs, 0.99),
    note: `p50, p99 ${told(way)}; direct ${told(direct)}`,
  };
}

function delays(ways: Ways): Figure[] {
  const at = `… at ${STREAMS_OF_A_NODE} streams`;
  return [
    { name: `${at}, p99`, ...delay(ways, "troop"), target: { atMost: 0.3 } },
    { name: `${at}, by a bare two-hop proxy, p99`, ...delay(ways, "bare") },
  ];
}

function figures(ways: Ways): Figure[] {
  const cpu = (way: Seen, kind: string, atMost?: number): Figure[] =>
    Object.entries(way.cpuUs).map(([name, us]) => ({
      name: `CPU time for each token, ${kind}${name}`,
      unit: "µs",
      measured: us,
      ...(atMost !== undefined && { target: { atMost } }),
    }));
  return [
    {
      name: "delay between two tokens, added, p99",
      ...delay(ways, "troop"),
      target: { atMost: 0.3 },
    },
    { name: "… by a bare two-hop proxy, p99", ...delay(ways, "bare") },
    ...cpu(ways.troop, "", 15),
    ...cpu(ways.bare, "bare proxy, "),
    ...cpuForEachOfBare(ways),
  ];
}

function cpuForEachOfBare({ troop, bare }: Ways): Figure[] {
  const ofBare = Object.values(bare.cpuUs);
  const bareUs = ofBare.reduce((sum, us) => sum + us, 0) / ofBare.length;
  return Object.entries(troop.cpuUs).map(([name, us]) => ({
    name: `… ${name}, for each of the bare proxy`,
    unit: "",
    measured: us / bareUs,
    target: { atMost: MOST_OF_BARE_CPU },
  }));
}
