import { Client } from "pg";

export type LockWatch = {
  readonly stop: () => Promise<LocksSeen>;
};

type LocksSeen = {
  /** Looks taken so far. */
  readonly samples: number;
  /** In how many of them each session waited for a lock, summed up: by another's row, table or transaction. */
  readonly waits: number;
  /** What they waited for, as PostgreSQL names it. */
  readonly waitedFor: readonly string[];
  /** The same for room at the end of a file: whoever inserts when a page is full waits while another adds one. */
  readonly extendWaits: number;
};

/** Looks that are 10 ms apart cost a tenth of the calls a second on two cores. */
const LOOK_EVERY_MS = 25;
/** PostgreSQL lists it among the locks. It is nobody's row, and no statement can do without. */
const EXTEND = "extend";

/** Looks again and again which sessions of a PostgreSQL wait for a row, a table or a transaction. */
export async function watchLocks(databaseUrl: string): Promise<LockWatch> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  let samples = 0;
  let waits = 0;
  let extendWaits = 0;
  const waitedFor = new Set<string>();
  const over = new AbortController();
  const watching = (async () => {
    while (!over.signal.aborted) {
      const { rows } = await client.query<{ lock: string; sessions: number }>(
        `select wait_event as lock, count(*)::int as sessions from pg_stat_activity
          where wait_event_type = 'Lock' group by 1`,
      );
      samples += 1;
      for (const { lock, sessions } of rows) {
        if (lock === EXTEND) {
          extendWaits += sessions;
          continue;
        }
        waits += sessions;
        waitedFor.add(lock);
      }
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
      return { samples, waits, waitedFor: [...waitedFor], extendWaits };
    },
  };
}
