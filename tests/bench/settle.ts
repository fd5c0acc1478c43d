import { startPostgresServer } from "#support/postgres-server";
import { MAX_BATCH } from "#protocol/submit";
import { startBenchCoordinator } from "./bench-coordinator";
import { makeLoad } from "./load/plan";
import type { Figure, Part } from "./part";
import type { Scope } from "./scope";
import { median } from "./stats";

export const settle: Part = {
  name: "settle",
  summary: `batches of ${MAX_BATCH} receipts in one call each, on the embedded Postgres and on a real one`,
  run,
};

async function run(scope: Scope): Promise<Figure[]> {
  const embedded = await settledOn(scope, "embedded Postgres", undefined);
  return [...embedded, ...(await onRealPostgres(scope))];
}

async function onRealPostgres(scope: Scope): Promise<Figure[]> {
  let url: string;
  try {
    ({ url } = await scope.hold(startPostgresServer, (server) => server.stop()));
  } catch (error) {
    const note = error instanceof Error ? (error.message.split("\n")[0] ?? "") : "";
    return [{ name: "receipts, real PostgreSQL", unit: "/s", measured: null, note }];
  }
  return settledOn(scope, "real PostgreSQL without fsync", url);
}

async function settledOn(
  scope: Scope,
  name: string,
  databaseUrl: string | undefined,
): Promise<Figure[]> {
  const stores = databaseUrl === undefined ? {} : { databaseUrl };
  const coordinator = await startBenchCoordinator(scope, stores);
  const figures: Figure[] = [];
  for (const nodes of [1, 4]) {
    const { receiptsPerSecond, batchMs } = await makeLoad(scope, {
      kind: "settle",
      coordinatorUrl: coordinator.url,
      nodes,
      payers: 4,
      batchesEach: 40 / nodes,
    });
    figures.push({
      name: `receipts, ${name}, ${nodes} ${nodes === 1 ? "batch" : "batches"} at once`,
      unit: "/s",
      measured: receiptsPerSecond,
      note: `a batch of ${MAX_BATCH} takes ${median(batchMs).toFixed(0)} ms, median`,
    });
  }
  return figures;
}
