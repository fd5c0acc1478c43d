import type { Redis } from "@upstash/redis/cloudflare";
import { sql } from "drizzle-orm";
import type { NeonHttpDatabase } from "drizzle-orm/neon-http";
import { z } from "zod";
import { Int8, sqlRow, sqlRows } from "./sql-rows";
import { storeCall } from "./store-call";

/** Models that one sweep learns the price of; the next goes on. */
const LEARNED_AT_ONCE = 200;
const PUBLISHED_AT_MOST = 5_000;
/** Far longer than between two sweeps: a coordinator whose crons rest keeps showing what it knew. */
const PUBLISHED_TTL_S = 30 * 24 * 60 * 60;

/** Microcredits for 1,000 completion tokens, by model. */
export const ratesKey = (network: string) => `rates:${network}`;

/** Learns what models cost that were served lately; returns how many it looked at. */
export async function learnRates(db: NeonHttpDatabase): Promise<number> {
  const row = await sqlRow(
    db,
    z.object({ models: z.int() }),
    sql`select learn_rates(${LEARNED_AT_ONCE}) as models`,
  );
  return row.models;
}

/** Puts what is known where the list of models is read, so that it costs no round trip there. */
export async function publishRates(db: NeonHttpDatabase, redis: Redis): Promise<void> {
  const rows = await sqlRows(
    db,
    z.object({ network: z.string(), model: z.string(), rate: Int8 }),
    sql`select network, model, rate from model_rates order by updated_at desc limit ${PUBLISHED_AT_MOST}`,
  );
  const byNetwork = Map.groupBy(rows, (row) => row.network);
  if (byNetwork.size === 0) return;
  const pipeline = redis.pipeline();
  for (const [network, known] of byNetwork) {
    pipeline.hset(ratesKey(network), Object.fromEntries(known.map((row) => [row.model, row.rate])));
    pipeline.expire(ratesKey(network), PUBLISHED_TTL_S);
  }
  await storeCall("redis", () => pipeline.exec());
}
