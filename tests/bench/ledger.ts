import { startPostgresServer } from "#support/postgres-server";
import { MAX_BATCH } from "#protocol/submit";
import { startBenchCoordinator } from "./bench-coordinator";
import { makeLoad } from "./load/plan";
import { watchLocks } from "./lock-watch";
import type { Figure, Part } from "./part";
import type { Scope } from "./scope";
import { median, quantile } from "./stats";

const FAR_MS = 50;
const USERS = 50;

export const ledger: Part = {
  name: "ledger",
  summary: `batches of ${MAX_BATCH} receipts in one call each, and ${USERS} users who authorize at once, on a real PostgreSQL`,
  run,
};

async function run(scope: Scope): Promise<Figure[]> {
  let databaseUrl: string;
  try {
    ({ url: databaseUrl } = await scope.hold(startPostgresServer, (server) => server.stop()));
  } catch (error) {
    const note = error instanceof Error ? (error.message.split("\n")[0] ?? "") : "";
    return [{ name: "receipts", unit: "/s", measured: null, note }];
  }
  const coordinator = await startBenchCoordinator(scope, { databaseUrl });
  const locks = await scope.hold(
    () => watchLocks(databaseUrl),
    (watch) => watch.stop(),
  );
  const near = await settled(scope, coordinator.url, 1);
  const several = await settled(scope, coordinator.url, 4);
  const authorized = await makeLoad(scope, {
    kind: "authorize",
    coordinatorUrl: coordinator.url,
    peers: USERS,
    callsEach: 100,
    warmUpCallsEach: 20,
    isAtOnce: true,
  });
  const { samples, waits, waitedFor, extendWaits } = await locks.stop();
  const away = await startBenchCoordinator(scope, { databaseUrl, addLatencyMs: FAR_MS });
  const far = await settled(scope, away.url, 1);
  const tripsInARow = (median(far.batchMs) - median(near.batchMs)) / FAR_MS;
  return [
    {
      name: "receipts, one batch at once",
      unit: "/s",
      measured: near.receiptsPerSecond,
      target: { atLeast: 2_000 },
      note: `a batch of ${MAX_BATCH} takes ${median(near.batchMs).toFixed(0)} ms, median`,
    },
    {
      name: "receipts, 4 batches at once",
      unit: "/s",
      measured: several.receiptsPerSecond,
      target: { atLeast: 2_000 },
      note: `a batch takes ${median(several.batchMs).toFixed(0)} ms, median`,
    },
    {
      name: "round trips to stores, one after another, a batch",
      unit: "",
      measured: tripsInARow,
      // One marks the proof as used, one settles.
      target: { atMost: 2.2 },
      note: `${FAR_MS} ms added to each store`,
    },
    {
      name: `authorize, ${USERS} users at once`,
      unit: "/s",
      measured: authorized.callsPerSecond,
      target: { atLeast: 400 },
      note: `median ${median(authorized.callMs).toFixed(0)} ms, p99 ${quantile(authorized.callMs, 0.99).toFixed(0)} ms`,
    },
    {
      name: "sessions that waited for a row, a table or a transaction",
      unit: "",
      measured: waits,
      target: { atMost: 0 },
      note:
        `in ${samples} looks at pg_stat_activity` +
        (waits > 0 ? ` (${waitedFor.join(", ")})` : "") +
        (extendWaits > 0 ? `; ${extendWaits} for a new page of a file` : ""),
    },
  ];
}

function settled(scope: Scope, coordinatorUrl: string, nodes: number) {
  return makeLoad(scope, {
    kind: "settle",
    coordinatorUrl,
    nodes,
    payers: 4,
    batchesEach: 40 / nodes,
  });
}
