import { afterAll, beforeAll, expect, it } from "vitest";
import { openPostgresBackend } from "#self-host/backend-postgres";
import { SelfHostError } from "#self-host/self-host-error";
import { type SqlStatement, SqlUnavailableError } from "#self-host/sql-backend";
import { startPgliteOnTcp } from "./pglite-on-tcp";
import { startTcpProxy } from "./tcp-proxy";

const sql = (text: string, ...params: (string | null)[]): SqlStatement => ({ text, params });

let server: Awaited<ReturnType<typeof startPgliteOnTcp>>;
beforeAll(async () => {
  server = await startPgliteOnTcp();
});
afterAll(() => server.close());

function url(port: number): string {
  return `postgres://postgres:anything@127.0.0.1:${port}/postgres`;
}

it("gives text, refuses several statements at once, and undoes a batch that fails", async () => {
  const backend = await openPostgresBackend({ databaseUrl: url(server.port), poolSize: 1 });
  await backend.query(sql("create table items (id int primary key, data jsonb)"));
  await backend.query(sql("insert into items values ($1, $2)", "1", '{"a":[1,2]}'));
  expect((await backend.query(sql("select * from items"))).rows).toEqual([["1", '{"a": [1, 2]}']]);
  await expect(backend.query(sql("select 1; select 2"))).rejects.toMatchObject({
    fields: { code: "42601" },
  });
  const batch = [sql("insert into items values (2)"), sql("insert into items values (1)")];
  await expect(backend.transaction([...batch, sql("select 1")])).rejects.toMatchObject({
    fields: { code: "23505" },
  });
  expect((await backend.query(sql("select count(*) from items"))).rows).toEqual([["1"]]);

  // Such as the ledger's own: that entries sum to zero is looked at when a transfer is committed.
  await backend.query(sql("create table deferred (id int unique deferrable initially deferred)"));
  const twice = [sql("insert into deferred values (1)"), sql("insert into deferred values (1)")];
  await expect(backend.transaction(twice)).rejects.toMatchObject({ fields: { code: "23505" } });
  await backend.close();
});

it("fails the statement whose connection drops, and serves the next one", async () => {
  const proxy = await startTcpProxy(server.port);
  const backend = await openPostgresBackend({ databaseUrl: url(proxy.port), poolSize: 1 });

  proxy.freeze();
  const lost = backend.query(sql("select 1"));
  const lostBatch = backend.transaction([sql("select 1")]);
  proxy.cut();
  await expect(lost).rejects.toBeInstanceOf(SqlUnavailableError);
  await expect(lostBatch).rejects.toBeInstanceOf(SqlUnavailableError);
  await expect(backend.query(sql("select 1"))).rejects.toBeInstanceOf(SqlUnavailableError);

  proxy.restore();
  expect((await backend.query(sql("select 2"))).rows).toEqual([["2"]]);
  await backend.close();
  await proxy.close();
});

it("survives the loss of a connection that nobody uses", async () => {
  const proxy = await startTcpProxy(server.port);
  const backend = await openPostgresBackend({ databaseUrl: url(proxy.port), poolSize: 1 });
  await backend.query(sql("select 1"));
  proxy.cut();
  proxy.restore();
  // Whether the loss is known yet is chance; if not, it costs this statement.
  await backend.query(sql("select 1")).catch(() => undefined);
  expect((await backend.query(sql("select 2"))).rows).toEqual([["2"]]);
  await backend.close();
  await proxy.close();
});

it("gives up on a server that does not answer", async () => {
  const proxy = await startTcpProxy(server.port);
  const databaseUrl = url(proxy.port);
  const backend = await openPostgresBackend({ databaseUrl, poolSize: 1, statementTimeoutMs: 100 });
  proxy.freeze();
  await expect(backend.query(sql("select 1"))).rejects.toBeInstanceOf(SqlUnavailableError);
  proxy.restore();
  await backend.close();
  await proxy.close();
});

it("tells the operator about a server that is not there and a URL that is none", async () => {
  const proxy = await startTcpProxy(server.port);
  proxy.cut();
  const refused = await openPostgresBackend({ databaseUrl: url(proxy.port) }).catch(
    (e: unknown) => e,
  );
  expect(refused).toBeInstanceOf(SelfHostError);
  expect((refused as SelfHostError).message).not.toContain("anything");
  await expect(openPostgresBackend({ databaseUrl: "mysql://x" })).rejects.toBeInstanceOf(
    SelfHostError,
  );
  await expect(
    openPostgresBackend({ databaseUrl: "postgres://u:p@h:99999999/x" }),
  ).rejects.toBeInstanceOf(SelfHostError);
  await proxy.close();
});
