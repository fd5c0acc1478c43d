import { cpuMs } from "../cpu";
import { MODEL } from "../demo-engine";
import { type ConnectionPool, openPool } from "./connection-pool";
import { postBytes } from "./http-connection";

export type HopsPlan = {
  readonly kind: "hops";
  /** Ways to the engine. They take turns, so that what else the machine does meets all of them. */
  readonly ways: Readonly<Record<string, HopsWay>>;
  /**
   * The coordinator's: on a real network it works on another machine. It stands still while requests at once and the
   * streams of `firstByteMs` are counted, and settles them afterwards; its time for a request is counted with that.
   */
  readonly elsewhere: readonly number[];
  readonly streamsPerSecond: number;
  readonly streamRounds: number;
  readonly requestsAtOnce: number;
  readonly requestRounds: number;
  readonly roundMs: number;
  readonly warmUpMs: number;
};

export type HopsWay = {
  readonly url: string;
  /** Process ids of what works on this way, by name. */
  readonly processes: Readonly<Record<string, readonly number[]>>;
};

export type HopsResult = Readonly<Record<string, WaySeen>>;

type WaySeen = {
  /** Of each stream, in milliseconds from the request. */
  readonly firstByteMs: number[];
  /** The same where what is elsewhere worked on this machine meanwhile; as many streams. */
  readonly firstByteBesideMs: number[];
  /** Of each round. */
  readonly requestsPerSecond: number[];
  /** Microseconds of CPU time that each of its processes used for a request of those rounds; empty if unknown. */
  readonly cpuUs: Record<string, number>;
};

type Way = {
  readonly name: string;
  readonly processes: HopsWay["processes"];
  readonly pool: ConnectionPool;
  readonly stream: Uint8Array;
  readonly request: Uint8Array;
  readonly firstByteMs: number[];
  readonly firstByteBesideMs: number[];
  readonly rounds: { readonly ended: number; readonly perSecond: number }[];
  readonly cpuMs: Record<string, number>;
};

const PATH = "/v1/chat/completions";
const BODY = {
  model: MODEL,
  messages: [{ role: "user", content: "Say something short." }],
  max_tokens: 16,
};

export async function hopsLoad(plan: HopsPlan): Promise<HopsResult> {
  const ways = await Promise.all(
    Object.entries(plan.ways).map(([name, way]) => openWay(name, way, plan.requestsAtOnce)),
  );
  for (const way of ways) {
    await atOnce(way, plan.requestsAtOnce, plan.warmUpMs);
    await openLoop(way, plan.streamsPerSecond, plan.warmUpMs);
  }
  for (let round = 0; round < plan.streamRounds; round += 1) {
    for (const way of turned(ways, round)) await streamRound(way, plan);
  }
  for (let round = 0; round < plan.requestRounds; round += 1) {
    for (const way of turned(ways, round)) await countedRound(way, plan);
  }
  for (const { pool } of ways) pool.close();
  return Object.fromEntries(ways.map((way) => [way.name, seenOf(way)]));
}

async function openWay(name: string, way: HopsWay, connections: number): Promise<Way> {
  const { url, processes } = way;
  return {
    name,
    processes,
    pool: await openPool(url, connections),
    stream: postBytes(url, PATH, { ...BODY, stream: true }),
    request: postBytes(url, PATH, BODY),
    firstByteMs: [],
    firstByteBesideMs: [],
    rounds: [],
    cpuMs: {},
  };
}

/** Streams that begin on a fixed beat, however long the ones before take. Milliseconds to the first byte of each. */
async function openLoop(way: Way, perSecond: number, forMs: number): Promise<number[]> {
  const startMs = performance.now();
  const count = Math.round((forMs * perSecond) / 1_000);
  const running: Promise<number>[] = [];
  for (let sent = 0; sent < count; sent += 1) {
    const waitMs = startMs + (sent * 1_000) / perSecond - performance.now();
    if (waitMs > 0) await Bun.sleep(waitMs);
    running.push(way.pool.send(way.stream).then(({ firstByteMs }) => firstByteMs));
  }
  return Promise.all(running);
}

async function streamRound(way: Way, plan: HopsPlan): Promise<void> {
  const streams = () => openLoop(way, plan.streamsPerSecond, plan.roundMs);
  way.firstByteBesideMs.push(...(await streams()));
  way.firstByteMs.push(...(await withoutElsewhere(plan, streams)));
}

async function countedRound(way: Way, plan: HopsPlan): Promise<void> {
  const usedMs = (): (readonly [name: string, ms: number | null])[] =>
    Object.entries(way.processes).map(([name, pids]) => [name, cpuMs(pids)]);
  const before = new Map(usedMs());
  const load = () => atOnce(way, plan.requestsAtOnce, plan.roundMs);
  way.rounds.push(await withoutElsewhere(plan, load));
  for (const [name, ms] of usedMs()) {
    if (ms !== null) way.cpuMs[name] = (way.cpuMs[name] ?? 0) + ms - (before.get(name) ?? 0);
  }
}

async function withoutElsewhere<T>(plan: HopsPlan, load: () => Promise<T>): Promise<T> {
  for (const pid of plan.elsewhere) process.kill(pid, "SIGSTOP");
  try {
    return await load();
  } finally {
    for (const pid of plan.elsewhere) process.kill(pid, "SIGCONT");
    await atRest(plan.elsewhere);
  }
}

const LOOK_EVERY_MS = 250;
const AT_REST_SHARE = 0.1;
const LONGEST_UNREST_MS = 20_000;

/** Resolves when processes have caught up with what came in while they stood still. */
async function atRest(pids: readonly number[]): Promise<void> {
  if (pids.length === 0) return;
  const untilMs = performance.now() + LONGEST_UNREST_MS;
  let quietLooks = 0;
  let before = cpuMs(pids) ?? 0;
  while (quietLooks < 4 && performance.now() < untilMs) {
    await Bun.sleep(LOOK_EVERY_MS);
    const now = cpuMs(pids) ?? 0;
    quietLooks = now - before < LOOK_EVERY_MS * AT_REST_SHARE ? quietLooks + 1 : 0;
    before = now;
  }
}

/** Always so many requests on their way; each answer is read to its end. */
async function atOnce(
  way: Way,
  count: number,
  forMs: number,
): Promise<{ ended: number; perSecond: number }> {
  const startMs = performance.now();
  let ended = 0;
  const keepAsking = async (): Promise<void> => {
    while (performance.now() - startMs < forMs) {
      await way.pool.send(way.request);
      ended += 1;
    }
  };
  await Promise.all(Array.from({ length: count }, keepAsking));
  return { ended, perSecond: (ended * 1_000) / (performance.now() - startMs) };
}

function seenOf({ firstByteMs, firstByteBesideMs, rounds, cpuMs }: Way): WaySeen {
  const ended = rounds.reduce((sum, round) => sum + round.ended, 0);
  const cpuUs = Object.entries(cpuMs).map(([name, ms]) => [name, (ms * 1_000) / ended]);
  return {
    firstByteMs,
    firstByteBesideMs,
    requestsPerSecond: rounds.map(({ perSecond }) => perSecond),
    cpuUs: Object.fromEntries(cpuUs),
  };
}

/** Another one goes first in each round. */
function turned<T>(items: readonly T[], by: number): T[] {
  const at = by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}
