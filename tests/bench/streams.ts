import { startBenchNetwork } from "./bench-network";
import { startEngine } from "./demo-engine";
import { makeLoad } from "./load/plan";
import type { StreamsResult } from "./load/streams-load";
import { residentMib } from "./memory";
import type { Figure, Part } from "./part";
import type { Scope } from "./scope";
import { median, quantile } from "./stats";

const COUNT = 1_000;
/** What must not fail either, whatever memory it takes. */
const MANY = 2_000;
const TOKENS_PER_SECOND = 20;
const TOKENS = 20;
const MOST_MIB = 250;

export const streams: Part = {
  name: "streams",
  summary: `${COUNT} streams at once, then ${MANY}, through one client and one worker`,
  run,
};

async function run(scope: Scope): Promise<Figure[]> {
  const engine = await startEngine(scope, {
    tokensPerSecond: TOKENS_PER_SECOND,
    tokensPerAnswer: TOKENS,
  });
  const network = await startBenchNetwork(scope, engine.url);
  const load = (count: number): Promise<StreamsResult> =>
    makeLoad(scope, {
      kind: "streams",
      url: network.baseUrl,
      count,
      tokens: TOKENS,
      stallMs: 5_000,
      deadlineMs: 60_000,
    });
  const seen = await load(COUNT);
  const memory = async (name: "client" | "worker"): Promise<Figure> => {
    const measured = await residentMib(network[name].process.pid, "VmHWM");
    const figure = {
      name: `most memory of the ${name}, resident`,
      unit: "MiB",
      measured,
      target: { atMost: MOST_MIB },
    };
    return measured === null ? { ...figure, note: "no /proc on this system" } : figure;
  };
  const figures = [...endings(COUNT, seen), await memory("client"), await memory("worker")];
  return [...figures, ...endings(MANY, await load(MANY))];
}

function endings(
  count: number,
  { ends, mostAtOnce, firstByteMs, endMs, longestGapMs }: StreamsResult,
): Figure[] {
  const { whole = 0, ...others } = ends;
  const how = Object.entries(others).map(([end, count]) => `${count} ${end}`);
  const direct = (TOKENS * 1_000) / TOKENS_PER_SECOND;
  const times =
    firstByteMs.length === 0
      ? ""
      : `first byte ${median(firstByteMs).toFixed(0)} ms median, ${quantile(firstByteMs, 1).toFixed(0)} ms at most; ` +
        `end ${median(endMs).toFixed(0)} ms median (the engine alone: ${direct} ms)`;
  return [
    {
      name: `of ${count.toLocaleString("en")} streams, failed or stalled`,
      unit: "",
      measured: count - whole,
      target: { atMost: 0 },
      note: how.length === 0 ? times : how.join(", "),
    },
    { name: "streams open at the same moment, most", unit: "", measured: mostAtOnce },
    { name: "longest silence within a stream", unit: "ms", measured: longestGapMs },
  ];
}
