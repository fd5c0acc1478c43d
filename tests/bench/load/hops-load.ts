import { MODEL } from "../demo-engine";
import { type ConnectionPool, openPool } from "./connection-pool";
import { postBytes } from "./http-connection";

export type HopsPlan = {
  readonly kind: "hops";
  /** URL of each way to the engine. They take turns, so that what else the machine does meets all of them. */
  readonly ways: Readonly<Record<string, string>>;
  readonly streamsPerSecond: number;
  readonly streamRounds: number;
  readonly requestsAtOnce: number;
  readonly requestRounds: number;
  readonly roundMs: number;
  readonly warmUpMs: number;
};

export type HopsResult = Readonly<Record<string, WaySeen>>;
type WaySeen = {
  /** Of each stream, in milliseconds from the request. */
  readonly firstByteMs: number[];
  /** Of each round. */
  readonly requestsPerSecond: number[];
};

type Way = WaySeen & {
  readonly pool: ConnectionPool;
  readonly stream: Uint8Array;
  readonly request: Uint8Array;
};

const PATH = "/v1/chat/completions";
const MESSAGES = [{ role: "user", content: "Say something short." }];

export async function hopsLoad(plan: HopsPlan): Promise<HopsResult> {
  const opened = await Promise.all(
    Object.entries(plan.ways).map(
      async ([name, url]) => [name, await openWay(url, plan.requestsAtOnce)] as const,
    ),
  );
  const ways = opened.map(([, way]) => way);
  for (const way of ways) {
    await atOnce(way, plan.requestsAtOnce, plan.warmUpMs);
    await openLoop(way, plan.streamsPerSecond, plan.warmUpMs);
  }
  for (let round = 0; round < plan.streamRounds; round += 1) {
    for (const way of turned(ways, round)) {
      way.firstByteMs.push(...(await openLoop(way, plan.streamsPerSecond, plan.roundMs)));
    }
  }
  for (let round = 0; round < plan.requestRounds; round += 1) {
    for (const way of turned(ways, round)) {
      way.requestsPerSecond.push(await atOnce(way, plan.requestsAtOnce, plan.roundMs));
    }
  }
  for (const { pool } of ways) pool.close();
  return Object.fromEntries(
    opened.map(([name, { firstByteMs, requestsPerSecond }]) => [
      name,
      { firstByteMs, requestsPerSecond },
    ]),
  );
}

async function openWay(url: string, connections: number): Promise<Way> {
  const body = { model: MODEL, messages: MESSAGES, max_tokens: 16 };
  return {
    pool: await openPool(url, connections),
    stream: postBytes(url, PATH, { ...body, stream: true }),
    request: postBytes(url, PATH, body),
    firstByteMs: [],
    requestsPerSecond: [],
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

/** Requests per second with always so many on their way; each answer is read to its end. */
async function atOnce(way: Way, count: number, forMs: number): Promise<number> {
  const startMs = performance.now();
  let ended = 0;
  const keepAsking = async (): Promise<void> => {
    while (performance.now() - startMs < forMs) {
      await way.pool.send(way.request);
      ended += 1;
    }
  };
  await Promise.all(Array.from({ length: count }, keepAsking));
  return (ended * 1_000) / (performance.now() - startMs);
}

/** Another one goes first in each round. */
function turned<T>(items: readonly T[], by: number): T[] {
  const at = by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}
