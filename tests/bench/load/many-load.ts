import { residentMib } from "../memory";
import { MODEL } from "../demo-engine";
import { openPool } from "./connection-pool";
import { postBytes } from "./http-connection";

export type ManyPlan = {
  readonly kind: "many";
  readonly url: string;
  readonly atOnce: number;
  readonly requests: number;
  /** Requests after which memory is looked at. */
  readonly marks: readonly number[];
  /** By name; whose memory is looked at. */
  readonly pids: Readonly<Record<string, number>>;
};

export type ManyResult = {
  /** By name, resident MiB at each mark; null where the system does not tell. */
  readonly mib: Readonly<Record<string, readonly (number | null)[]>>;
  readonly requestsPerSecond: number;
};

/** Every eighth one is a stream. */
const STREAM_EVERY = 8;

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
  const mib: Record<string, (number | null)[]> = {};
  const startMs = performance.now();
  let sent = 0;

  async function keepAsking(until: number): Promise<void> {
    while (sent < until) {
      sent += 1;
      await pool.send(sent % STREAM_EVERY === 0 ? stream : whole);
    }
  }
  for (const mark of [...plan.marks, plan.requests]) {
    await Promise.all(Array.from({ length: plan.atOnce }, () => keepAsking(mark)));
    for (const [name, pid] of Object.entries(plan.pids)) {
      (mib[name] ??= []).push(await residentMib(pid, "VmRSS"));
    }
  }
  const requestsPerSecond = (sent * 1_000) / (performance.now() - startMs);
  pool.close();
  return { mib, requestsPerSecond };
}
