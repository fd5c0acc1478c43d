import type { Deps } from "./deps";
import { provenRate } from "./domain/hardware-score";
import { readBenchmarks } from "./store/benchmarks";
import { keepRemembered, readMarks } from "./store/hardware-runs";

/** Redis may have been lost since a node proved its hardware, or failed to: whoever registers again has both restored. */
export async function rememberHardware(
  { db, nowMs, redis }: Pick<Deps, "db" | "nowMs" | "redis">,
  nodeId: string,
): Promise<void> {
  const marks = await readMarks(redis, nodeId);
  if (marks.proven !== undefined) return;
  const { history, lastFailureMs } = await readBenchmarks(db, nodeId);
  const proven = history && provenRate(history, undefined, nowMs());
  await keepRemembered(redis, nodeId, { proven, failedMs: lastFailureMs }, nowMs());
}
