import { openPgliteBackend } from "#self-host/backend-pglite";
import { openPostgresBackend } from "#self-host/backend-postgres";
import type { SqlBackend } from "#self-host/sql-backend";
import { createDatabase } from "#support/own-database";

export type OpenOptions = { readonly statementTimeoutMs?: number };

export type TestDatabase = {
  readonly name: string;
  /** An empty database of its own; closing it removes it. */
  readonly open: (options?: OpenOptions) => Promise<SqlBackend>;
};

/** `npm run test:stores` names a real Postgres here. */
const realUrl = process.env.TROOP_TEST_DATABASE_URL;

const embedded: TestDatabase = {
  name: "embedded",
  open: (options = {}) => openPgliteBackend({ folder: null, ...options }),
};

/** The embedded database, and a real one where there is one. */
export const databases: readonly TestDatabase[] =
  realUrl === undefined ? [embedded] : [embedded, realDatabase(realUrl)];

function realDatabase(serverUrl: string): TestDatabase {
  return {
    name: "postgres",
    open: async (options = {}) => {
      const created = await createDatabase(serverUrl);
      const backend = await openPostgresBackend({ databaseUrl: created.url, ...options });
      return { ...backend, close: () => backend.close().then(created.drop) };
    },
  };
}
