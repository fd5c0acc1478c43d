// Bundled by stores-in-workerd.test.ts: uses both stores the way the coordinator does.
import { neon, neonConfig } from "@neondatabase/serverless";
import { Redis } from "@upstash/redis/cloudflare";
import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/neon-http";
import { bigint, jsonb, pgTable, text, timestamp } from "drizzle-orm/pg-core";

const visits = pgTable("visits", {
  id: bigint({ mode: "bigint" }).primaryKey(),
  who: text().notNull(),
  data: jsonb().$type<{ tags: string[] }>(),
  at: timestamp({ withTimezone: true, mode: "date" }),
});

type Env = {
  readonly DATABASE_URL: string;
  readonly DATABASE_FETCH_ENDPOINT: string;
  readonly REDIS_URL: string;
  readonly REDIS_TOKEN: string;
};

export default {
  async fetch(_request: Request, env: Env): Promise<Response> {
    neonConfig.fetchEndpoint = env.DATABASE_FETCH_ENDPOINT;
    const db = drizzle(neon(env.DATABASE_URL));
    const redis = new Redis({ url: env.REDIS_URL, token: env.REDIS_TOKEN });
    const visit = {
      id: 9_007_199_254_740_993n,
      who: "ü",
      data: { tags: ["a", "b"] },
      at: new Date(0),
    };
    const [inserted, , claimed] = await Promise.all([
      db.insert(visits).values(visit).returning(),
      redis.hset("hash", { field: { nested: true } }),
      redis.eval("return redis.call('SET', KEYS[1], 1, 'NX', 'EX', 60)", ["claim"], []),
    ]);
    const again = await db
      .insert(visits)
      .values(visit)
      .catch((error: { cause?: { code?: string } }) => error.cause?.code);
    const [found, removed] = await db.batch([
      db.select().from(visits).where(eq(visits.id, visit.id)),
      db.delete(visits),
    ]);
    return Response.json({
      inserted: inserted.map((row) => ({ ...row, id: String(row.id) })),
      again,
      found: found.map((row) => row.at),
      removed: removed.rowCount,
      hash: await redis.hgetall("hash"),
      claimed,
    });
  },
};
