import { sql } from "drizzle-orm";
import type { NeonHttpDatabase } from "drizzle-orm/neon-http";
import { z } from "zod";
import { at } from "./ledger";
import { sqlRows } from "./sql-rows";

const KeyRow = z.object({ kid: z.string(), sealed: z.string(), signs_from_ms: z.coerce.number() });

/** Older ones signed nothing that anybody still shows. */
const MOST_READ = 32;

export async function readKeys(db: NeonHttpDatabase) {
  const rows = await sqlRows(
    db,
    KeyRow,
    sql`select kid, sealed, (extract(epoch from signs_from) * 1000)::float8 as signs_from_ms
      from signing_keys order by signs_from desc limit ${MOST_READ}`,
  );
  return rows.map(({ kid, sealed, signs_from_ms }) => ({
    kid,
    sealed,
    // Whole milliseconds went in; a double of seconds comes out.
    signsFromMs: Math.round(signs_from_ms),
  }));
}

export async function insertKey(
  db: NeonHttpDatabase,
  { kid, sealed, signsFromMs }: { kid: string; sealed: string; signsFromMs: number },
): Promise<void> {
  await sqlRows(
    db,
    z.object({}),
    sql`insert into signing_keys (kid, sealed, signs_from) values (${kid}, ${sealed}, ${at(signsFromMs)})`,
  );
}
