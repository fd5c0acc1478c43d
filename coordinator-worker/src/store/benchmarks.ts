import { HARDWARE_VERSION } from "#protocol/hardware";
import { type SQL, sql } from "drizzle-orm";
import type { NeonHttpDatabase } from "drizzle-orm/neon-http";
import { z } from "zod";
import type { History } from "../domain/hardware-score";
import { at } from "./ledger";
import { Int8, sqlRow, sqlRows } from "./sql-rows";

export type NewBenchmark = {
  readonly nodeId: string;
  readonly atMs: number;
  readonly inRound: boolean;
  /** Operations and bytes a second. */
  readonly computeOps: number;
  readonly memoryBytes: number;
  /** Microcredits a second. */
  readonly rate: number;
};

/** Passes that are read of each kind: more than are counted, and so that many on demand hide none of a round. */
const READ_OF_EACH = 20;

/** A node's speed says something from so many receipts and milliseconds of its engine on. */
const SERVED_RECEIPTS = 50;
const SERVED_ENGINE_MS = 60_000;

const HistoryRow = z.object({
  passes: z.array(
    z.object({ at_ms: z.number(), in_round: z.boolean(), rate: z.int(), version: z.int() }),
  ),
  first_pass_ms: Int8.nullable(),
  last_round_ms: Int8.nullable(),
  last_failure_ms: Int8.nullable(),
  served_rate: z.coerce.number().nullable(),
});

/** Keeps a pass, and answers what the node has shown so far. One round trip. */
export async function recordPass(db: NeonHttpDatabase, run: NewBenchmark): Promise<History> {
  const added = sql`insert into benchmarks (node_id, at, version, in_round, compute_ops, memory_bytes, rate)
    values (${run.nodeId}, ${at(run.atMs)}, ${HARDWARE_VERSION}, ${run.inRound}, ${run.computeOps},
      ${run.memoryBytes}, ${run.rate})
    returning node_id, at, version, in_round, rate, failure`;
  const { history } = await readRuns(db, run.nodeId, added);
  if (history === undefined) throw new Error("A pass that was kept is not there.");
  return history;
}

export type Runs = {
  /** Undefined where nothing was passed since the last failure. */
  readonly history: History | undefined;
  readonly lastFailureMs: number | undefined;
};

/** What a node has shown so far. One round trip. */
export function readBenchmarks(db: NeonHttpDatabase, nodeId: string): Promise<Runs> {
  const none = sql`select node_id, at, version, in_round, rate, failure from benchmarks where false`;
  return readRuns(db, nodeId, none);
}

/**
 * The latest passes since the last failure, and what the node's served tokens are worth a second at their models' usual
 * prices; `added`: rows that this statement itself writes, which it would not see otherwise. A failure forgets passes, but
 * not when the first one was: it would begin the first day anew, on which runs on demand count.
 */
async function readRuns(db: NeonHttpDatabase, nodeId: string, added: SQL): Promise<Runs> {
  const row = await sqlRow(
    db,
    HistoryRow,
    sql`with added as (${added}
      ), runs as (
        select * from added
        union all
        select node_id, at, version, in_round, rate, failure from benchmarks where node_id = ${nodeId}
      ), passes as (
        select * from runs where failure is null
          and at > coalesce((select max(at) from runs where failure is not null), '-infinity')
      ), served as (
        select r.engine_ms, m.rate as price,
          coalesce(r.completion_tokens, 0) + coalesce(r.prompt_tokens, 0) / 10.0 as tokens
        from receipts r join model_rates m on m.network = r.network and m.model = r.model
        where r.owner_id = (select user_id from peers where id = ${nodeId})
          and r.node_id = ${nodeId} and r.outcome = 'completed' and r.amount > 0 and r.engine_ms > 0
          and r.settled_at > now() - interval '14 days'
        order by r.settled_at desc limit 500
      )
      select
        (select coalesce(jsonb_agg(jsonb_build_object('at_ms', (extract(epoch from at) * 1000)::float8,
            'in_round', in_round, 'rate', rate, 'version', version) order by at desc), '[]')
          from (select *, row_number() over (partition by in_round order by at desc) as place from passes) latest
          where place <= ${READ_OF_EACH}) as passes,
        (select (extract(epoch from min(at)) * 1000)::bigint from runs where failure is null) as first_pass_ms,
        (select (extract(epoch from max(at)) * 1000)::bigint from passes where in_round) as last_round_ms,
        (select (extract(epoch from max(at)) * 1000)::bigint from runs where failure is not null) as last_failure_ms,
        (select case when count(*) >= ${SERVED_RECEIPTS} and sum(engine_ms) >= ${SERVED_ENGINE_MS}
            then sum(tokens * price) / sum(engine_ms) end from served) as served_rate`,
  );
  const lastFailureMs = row.last_failure_ms ?? undefined;
  if (row.first_pass_ms === null || row.passes.length === 0)
    return { history: undefined, lastFailureMs };
  const history = {
    passes: row.passes.map(({ at_ms, in_round, rate, version }) => ({
      atMs: at_ms,
      inRound: in_round,
      rate,
      version,
    })),
    firstPassMs: row.first_pass_ms,
    lastRoundMs: row.last_round_ms ?? undefined,
    servedRate: row.served_rate ?? undefined,
  };
  return { history, lastFailureMs };
}

/** Keeps a failure, which scores 0 and takes the passes before it along. */
export async function recordFailure(
  db: NeonHttpDatabase,
  failed: { nodeId: string; atMs: number; inRound: boolean; failure: string },
): Promise<void> {
  await sqlRows(
    db,
    z.object({}),
    sql`insert into benchmarks (node_id, at, version, in_round, compute_ops, memory_bytes, rate, failure)
      values (${failed.nodeId}, ${at(failed.atMs)}, ${HARDWARE_VERSION}, ${failed.inRound}, 0, 0, 0,
        ${failed.failure})`,
  );
}
