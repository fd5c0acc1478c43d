import { LedgerCheck } from "#protocol/ledger-check";
import { type SQL, sql } from "drizzle-orm";
import type { NeonHttpDatabase } from "drizzle-orm/neon-http";
import { z } from "zod";
import { storeCall } from "./store-call";

/** Offenders that an answer names; it counts all. */
const SHOWN = 100;

/** Milliseconds that it may take where the database allows other statements less: it reads every row there is. */
const LIMIT_MS = 55_000;

async function report(db: NeonHttpDatabase, statement: SQL): Promise<LedgerCheck> {
  const longer = sql.raw(`set local statement_timeout = ${LIMIT_MS}`);
  const [, { rows }] = await storeCall("postgres", () =>
    db.batch([db.execute(longer), db.execute(statement)]),
  );
  const [row] = z.tuple([z.object({ report: LedgerCheck })]).parse(rows);
  return row.report;
}

/** Reads the whole ledger, in one snapshot. */
export function checkLedger(db: NeonHttpDatabase): Promise<LedgerCheck> {
  return report(db, sql`select check_ledger(${SHOWN}) as report`);
}

/** The same, and keeps what it found. */
export function recordLedgerCheck(db: NeonHttpDatabase): Promise<LedgerCheck> {
  return report(db, sql`select record_ledger_check(${SHOWN}) as report`);
}
