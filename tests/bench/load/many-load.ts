import { residentMib } from "../memory";
import { MODEL } from "../demo-engine";
import { median } from "../stats";
import { openPool } from "./connection-pool";
import { postBytes } from "./http-connection";

export type ManyPlan = {
  readonly kind: "many";
  readonly url: string;
  readonly atOnce: number;
  readonly requests: number;
  /** Memory is looked at often while these requests run: one look tells when garbage was collected last, not more. */
  readonly spans: readonly RequestSpan[];
  /** By name; whose memory is looked at. */
  readonly pids: Readonly<Record<string, number>>;
};

/** From the request with this number to the one with that; both count from 1. */
export type RequestSpan = { readonly from: number; readonly to: number };

/** MiB at the looks of one span. */
export type MemorySeen = { readonly least: number; readonly median: number; readonly most: number };

export type ManyResult = {
  /** By name, for each span; null where the system does not tell. */
  readonly mib: Readonly<Record<string, readonly (MemorySeen | null)[]>>;
  readonly requestsPerSecond: number;
};

/** Every eighth one is a stream. */
const STREAM_EVERY = 8;
const LOOK_EVERY = 100;

export async function manyLoad(plan: ManyPlan): Promise<ManyResult> {
  const pool = await openPool(plan.url, plan.atOnce);
  const bytesOf = (stream: boolean): Uint8Array =>
    postBytes(plan.url, "/v1/chat/completions", {
      model: MODEL,
      messages: [{ role: "user", content: "Say something short." }],
      max_tokens: 16,
      stream,
    });
  const [whole, stream] = [bytesOf(false), bytesOf(true)];
  const names = Object.keys(plan.pids);
  const looks = new Map(names.map((name) => [name, plan.spans.map((): number[] => [])]));
  const startMs = performance.now();
  let sent = 0;

  async function keepAsking(): Promise<void> {
    while (sent < plan.requests) {
      sent += 1;
      if (sent % LOOK_EVERY === 0) await look(sent);
      await pool.send(sent % STREAM_EVERY === 0 ? stream : whole);
    }
  }
  async function look(at: number): Promise<void> {
    const span = plan.spans.findIndex(({ from, to }) => from <= at && at <= to);
    if (span < 0) return;
    for (const [name, pid] of Object.entries(plan.pids)) {
      const mib = await residentMib(pid, "VmRSS");
      if (mib !== null) looks.get(name)?.[span]?.push(mib);
    }
  }

  await Promise.all(Array.from({ length: plan.atOnce }, keepAsking));
  const requestsPerSecond = (sent * 1_000) / (performance.now() - startMs);
  pool.close();
  const mib = Object.fromEntries([...looks].map(([name, spans]) => [name, spans.map(seenIn)]));
  return { mib, requestsPerSecond };
}

function seenIn(mib: readonly number[]): MemorySeen | null {
  if (mib.length === 0) return null;
  return { least: Math.min(...mib), median: median(mib), most: Math.max(...mib) };
}
