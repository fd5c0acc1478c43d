import { sql } from "drizzle-orm";
import type { NeonHttpDatabase } from "drizzle-orm/neon-http";
import { z } from "zod";
import { PAID_WITHIN_MS } from "../domain/judge-receipt";
import { at, escrowBefore, releaseBefore } from "./ledger";
import { sqlRow } from "./sql-rows";

/** Rows that one statement moves, so that it stays short. */
const AT_ONCE = 1_000;
/** Statements of one kind in one sweep; the next sweep goes on. */
const ROUNDS = 20;

export type Swept = { readonly leases: number; readonly receipts: number; readonly acks: number };

/**
 * Moves what has become due while nobody touched it: refunds leases that have ended, releases receipts that got no
 * ack, forgets acks whose receipt cannot come any more.
 */
export async function sweepDue(db: NeonHttpDatabase, nowMs: number): Promise<Swept> {
  const count = async (statement: ReturnType<typeof sql>) =>
    (await sqlRow(db, z.object({ count: z.int() }), statement)).count;
  return {
    leases: await inRounds(() =>
      count(sql`select release_leases(null, ${releaseBefore(nowMs)}, ${AT_ONCE}) as count`),
    ),
    receipts: await inRounds(() =>
      count(sql`select release_escrow(null, ${escrowBefore(nowMs)}, ${AT_ONCE}) as count`),
    ),
    acks: await inRounds(() =>
      count(sql`select sweep_acks(${at(nowMs - PAID_WITHIN_MS)}, ${AT_ONCE}) as count`),
    ),
  };
}

async function inRounds(move: () => Promise<number>): Promise<number> {
  let moved = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const now = await move();
    moved += now;
    if (now < AT_ONCE) break;
  }
  return moved;
}
