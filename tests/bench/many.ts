import { startBenchNetwork } from "./bench-network";
import { startEngine } from "./demo-engine";
import type { MemorySeen, RequestSpan } from "./load/many-load";
import { makeLoad } from "./load/plan";
import type { Figure, Part } from "./part";
import type { Scope } from "./scope";

const FIRST = 10_000;
const ALL = 100_000;
/** Garbage is collected several times meanwhile. */
const SPAN = 5_000;
const SPANS: RequestSpan[] = [FIRST, ALL / 2, ALL - SPAN].map((from) => ({
  from,
  to: from + SPAN,
}));

export const many: Part = {
  name: "many",
  summary: `memory of client and worker over ${count(ALL)} requests`,
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
    spans: SPANS,
    pids: { client: client.process.pid, worker: worker.process.pid },
  });
  return Object.entries(seen.mib).map(([name, [first, half, end]]): Figure => {
    const figure = {
      name: `memory of the ${name}, in the last ${count(SPAN)} requests by after the first ${count(FIRST)}`,
      unit: "×",
    };
    if (first == null || half == null || end == null) {
      return { ...figure, measured: null, note: "no /proc on this system" };
    }
    return {
      ...figure,
      measured: end.median / first.median,
      target: { atMost: 1.1 },
      note:
        `median (least to most) of each ${count(SPAN)}: ${inWords(first)}, half-way ${inWords(half)}, ` +
        `at the end ${inWords(end)} MiB; ${seen.requestsPerSecond.toFixed(0)} requests/s`,
    };
  });
}

function inWords({ least, median, most }: MemorySeen): string {
  return `${median.toFixed(0)} (${least.toFixed(0)} to ${most.toFixed(0)})`;
}

function count(requests: number): string {
  return requests.toLocaleString("en");
}
