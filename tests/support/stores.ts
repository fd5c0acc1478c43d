import { join } from "node:path";
import { neon, neonConfig } from "@neondatabase/serverless";
import { Redis } from "@upstash/redis/cloudflare";
import { drizzle, type NeonHttpDatabase } from "drizzle-orm/neon-http";
import { migrate } from "#self-host/migrate";
import { openStores } from "#self-host/stores";
import { testStores } from "./coordinator";

type Rows = readonly (readonly (string | null)[])[];

/** The coordinator's stores with its own clients of them, for tests of what speaks to them. */
export type TestStores = {
  readonly db: NeonHttpDatabase;
  readonly redis: Redis;
  /** Past the coordinator, straight to the database. */
  readonly ask: (text: string, params?: readonly string[]) => Promise<Rows>;
  readonly close: () => Promise<void>;
};

export async function openTestStores(): Promise<TestStores> {
  const stores = await openStores(testStores);
  const folder = join(import.meta.dirname, "../../drizzle/migrations");
  await migrate({ backend: stores.sql, folder });
  neonConfig.fetchEndpoint = stores.databaseFetchEndpoint;
  return {
    db: drizzle({ client: neon(stores.databaseUrl) }),
    redis: new Redis({
      url: stores.redisRestUrl,
      token: stores.redisRestToken,
      enableTelemetry: false,
      automaticDeserialization: false,
      responseEncoding: false,
    }),
    ask: async (text, params = []) => (await stores.sql.query({ text, params })).rows,
    close: stores.close,
  };
}
