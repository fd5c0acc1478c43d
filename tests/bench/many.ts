import { startBenchNetwork } from "./bench-network";
import { startEngine } from "./demo-engine";
import { makeLoad } from "./load/plan";
import type { Figure, Part } from "./part";
import type { Scope } from "./scope";

const FIRST = 10_000;
const ALL = 100_000;

export const many: Part = {
  name: "many",
  summary: `memory of client and worker over ${ALL.toLocaleString("en")} requests`,
  run,
};

async function run(scope: Scope): Promise<Figure[]> {
  const engine = await startEngine(scope, { tokensPerSecond: 0, tokensPerAnswer: 16 });
  const { baseUrl, client, worker } = await startBenchNetwork(scope, engine.url);
  const seen = await makeLoad(scope, {
    kind: "many",
    url: baseUrl,
    atOnce: 32,
    requests: ALL,
    marks: [FIRST, ALL / 2],
    pids: { client: client.process.pid, worker: worker.process.pid },
  });
  return Object.entries(seen.mib).map(([name, [first, half, end]]): Figure => {
    const figure = { name: `memory of the ${name}, at the end by after the first`, unit: "×" };
    if (first == null || half == null || end == null) {
      return { ...figure, measured: null, note: "no /proc on this system" };
    }
    return {
      ...figure,
      measured: end / first,
      target: { atMost: 1.1 },
      note:
        `after ${FIRST.toLocaleString("en")} requests ${first.toFixed(0)} MiB, half-way ${half.toFixed(0)}, ` +
        `at the end ${end.toFixed(0)}; ${seen.requestsPerSecond.toFixed(0)} requests/s`,
    };
  });
}
