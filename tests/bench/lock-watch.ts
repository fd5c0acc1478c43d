import { Client } from "pg";

export type LockWatch = {
  /** Looks taken so far, and in how many of them each session waited for a lock, summed up. */
  readonly stop: () => Promise<{ readonly samples: number; readonly waits: number }>;
};

const LOOK_EVERY_MS = 10;

/** Looks again and again which sessions of a PostgreSQL wait for a row, a table or a transaction. */
export async function watchLocks(databaseUrl: string): Promise<LockWatch> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  let samples = 0;
  let waits = 0;
  const over = new AbortController();
  const watching = (async () => {
    while (!over.signal.aborted) {
      const { rows } = await client.query<{ waiting: number }>(
        "select count(*)::int as waiting from pg_stat_activity where wait_event_type = 'Lock'",
      );
      samples += 1;
      waits += rows[0]?.waiting ?? 0;
      await Bun.sleep(LOOK_EVERY_MS);
    }
  })();
  return {
    async stop() {
      if (!over.signal.aborted) {
        over.abort();
        await watching;
        await client.end();
      }
      return { samples, waits };
    },
  };
}
