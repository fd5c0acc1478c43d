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
const TOKENS_PER_SECOND = 50;

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
  const seen = await makeLoad(scope, {
    kind: "pace",
    ways: {
      direct: { url: engine.url, processes: {} },
      bare: { url: far.url, processes: { near: [near.pid], far: [far.pid] } },
      troop: {
        url: network.baseUrl,
        processes: { client: [client.process.pid], worker: [worker.process.pid] },
      },
    },
    streams: STREAMS,
    tokens,
    tokensPerSecond: TOKENS_PER_SECOND,
    rounds: 3,
  });
  return figures(seen);
}

function figures({ direct, bare, troop }: PaceResult): Figure[] {
  if (direct === undefined || bare === undefined || troop === undefined) {
    throw new Error("a way was not measured");
  }
  const addedMs = (way: typeof direct, q: number): number =>
    quantile(way.gapMs, q) - quantile(direct.gapMs, q);
  const gaps = (way: typeof direct): string =>
    `p50 ${quantile(way.gapMs, 0.5).toFixed(2)}, p99 ${quantile(way.gapMs, 0.99).toFixed(2)} ms; ` +
    `direct ${quantile(direct.gapMs, 0.5).toFixed(2)}, ${quantile(direct.gapMs, 0.99).toFixed(2)} ms`;
  const cpu = (way: typeof direct, kind: string, atMost?: number): Figure[] =>
    Object.entries(way.cpuUs).map(([name, us]) => ({
      name: `CPU time for each token, ${kind}${name}`,
      unit: "µs",
      measured: us,
      ...(atMost !== undefined && { target: { atMost } }),
    }));
  return [
    {
      name: "delay between two tokens, added, p99",
      unit: "ms",
      measured: addedMs(troop, 0.99),
      target: { atMost: 0.3 },
      note: gaps(troop),
    },
    {
      name: "… by a bare two-hop proxy, p99",
      unit: "ms",
      measured: addedMs(bare, 0.99),
      note: gaps(bare),
    },
    ...cpu(troop, "", 15),
    ...cpu(bare, "bare proxy, "),
  ];
}
