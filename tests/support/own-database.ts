import { Client } from "pg";

export type OwnDatabase = { readonly url: string; readonly drop: () => Promise<void> };

/** Creates an empty database on a real PostgreSQL, whose `postgres://` URL of a superuser is given. */
export async function createDatabase(serverUrl: string): Promise<OwnDatabase> {
  const name = `troop_${crypto.randomUUID().replaceAll("-", "")}`;
  const onServer = async (sql: string): Promise<void> => {
    const client = new Client({ connectionString: serverUrl });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  };
  await onServer(`create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(`drop database ${name}`) };
}
