import { Client } from "pg";
import { expect, onTestFinished } from "vitest";
import { testStores } from "#support/coordinator";
import type { Rows } from "./ledger-world";

const { databaseUrl } = testStores;

// For files named *.postgres.test.ts: the embedded database runs one statement at a time, so nobody ever waits there.

/** Runs a statement and holds what it locks, and shows nobody what it did, until it is let go. */
export async function holding(
  text: string,
  params: readonly (string | null)[],
): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  // Whatever becomes of the test: what is held must not keep others waiting.
  onTestFinished(() => client.end());
  await client.query("begin");
  await client.query(text, [...params]);
  return async () => {
    await client.query("commit");
  };
}

/** Until so many statements wait for what others have locked. */
export async function untilWaiting(
  ask: (text: string) => Promise<Rows>,
  count: number,
): Promise<void> {
  const text = `select count(*) from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`;
  await expect.poll(async () => (await ask(text))[0]?.[0], { interval: 10 }).toBe(`${count}`);
}
