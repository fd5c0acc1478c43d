import { cpuMs } from "../cpu";
import { MODEL } from "../demo-engine";
import { type Connection, openConnection, postBytes } from "./http-connection";

export type PacePlan = {
  readonly kind: "pace";
  /** Ways to the engine, which take turns. */
  readonly ways: Readonly<Record<string, PaceWay>>;
  readonly streams: number;
  readonly tokens: number;
  readonly tokensPerSecond: number;
  readonly rounds: number;
};

export type PaceWay = {
  readonly url: string;
  /** Process ids of what works on this way, by name. */
  readonly processes: Readonly<Record<string, readonly number[]>>;
};

export type PaceResult = Readonly<Record<string, PaceSeen>>;

type PaceSeen = {
  /** Milliseconds between two pieces of one stream, as its reader gets them; sorted, 1,000 of all. */
  readonly gapMs: readonly number[];
  /** Microseconds of CPU time for each token, by process; empty where it cannot be told. */
  readonly cpuUs: Readonly<Record<string, number>>;
};

/** Pieces of a stream that are not looked at: until all of them run. */
const SETTLING = 60;
const KEPT_GAPS = 1_000;
/** Answers begin one after another, as people do, not in one moment. */
const BEGIN_WITHIN_MS = 1_000;
/** So spread, tokens of different streams do not come in step, as they would where answers begin every 20 ms. */
const GOLDEN_RATIO = 0.618_033_988_75;

export async function paceLoad(plan: PacePlan): Promise<PaceResult> {
  const seen = new Map<string, { gapMs: number[]; cpuMs: Map<string, number> }>();
  for (const [name, way] of Object.entries(plan.ways)) {
    seen.set(name, { gapMs: [], cpuMs: new Map() });
    await paced(way, plan); // Brings a ticket, and warm code.
  }
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const [name, way] of Object.entries(plan.ways)) {
      const own = seen.get(name);
      if (own === undefined) continue;
      const usedMs = () =>
        Object.entries(way.processes).map(([who, pids]) => [who, cpuMs(pids)] as const);
      const before = new Map(usedMs());
      own.gapMs.push(...(await paced(way, plan)));
      for (const [who, ms] of usedMs()) {
        if (ms !== null)
          own.cpuMs.set(who, (own.cpuMs.get(who) ?? 0) + ms - (before.get(who) ?? 0));
      }
    }
  }
  const tokens = plan.rounds * plan.streams * plan.tokens;
  return Object.fromEntries(
    [...seen].map(([name, { gapMs, cpuMs: used }]) => {
      const cpuUs = [...used].map(([who, ms]) => [who, (ms * 1_000) / tokens] as const);
      return [name, { gapMs: thinned(gapMs), cpuUs: Object.fromEntries(cpuUs) }];
    }),
  );
}

/** Gaps between the pieces of all streams. Throws where one of them fails. */
async function paced({ url }: PaceWay, plan: PacePlan): Promise<number[]> {
  const request = postBytes(url, "/v1/chat/completions", {
    model: MODEL,
    messages: [{ role: "user", content: "Tell a story." }],
    max_tokens: plan.tokens,
    stream: true,
  });
  const connections = await Promise.all(
    Array.from({ length: plan.streams }, () => openConnection(url)),
  );
  const gapMs: number[] = [];
  async function stream(connection: Connection, place: number): Promise<void> {
    await Bun.sleep(((place * GOLDEN_RATIO) % 1) * BEGIN_WITHIN_MS);
    let lastMs = 0;
    let pieces = 0;
    const answer = await connection.send(request, () => {
      const nowMs = performance.now();
      pieces += 1;
      if (pieces > SETTLING) gapMs.push(nowMs - lastMs);
      lastMs = nowMs;
    });
    if (answer.status !== 200) throw new Error(`a stream was answered with ${answer.status}`);
  }
  await Promise.all(connections.map(stream));
  for (const connection of connections) connection.close();
  return gapMs;
}

/** Evenly from the least to the most, both ends included: what travels to the process that prints. */
function thinned(values: readonly number[]): number[] {
  const sorted = values.toSorted((a, b) => a - b);
  if (sorted.length <= KEPT_GAPS) return sorted;
  return Array.from({ length: KEPT_GAPS }, (_, at) => {
    return sorted[Math.round((at * (sorted.length - 1)) / (KEPT_GAPS - 1))] ?? 0;
  });
}
