import { neon, NeonDbError, neonConfig } from "@neondatabase/serverless";
import { DrizzleQueryError, eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/neon-http";
import {
  bigint,
  boolean,
  integer,
  jsonb,
  numeric,
  pgTable,
  text,
  timestamp,
} from "drizzle-orm/pg-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LoopbackServer } from "#self-host/loopback-server";
import { serveNeonHttp } from "#self-host/neon-http";
import { type SqlBackend, SqlUnavailableError } from "#self-host/sql-backend";
import { databases } from "./databases";

const SECRET = "a-secret_of-the-test";
const URL_WITH_SECRET = `postgres://coordinator:${SECRET}@127.0.0.1/coordinator`;

const things = pgTable("things", {
  id: integer().primaryKey(),
  name: text().notNull().unique(),
  amount: bigint({ mode: "bigint" }).notNull(),
  safeAmount: bigint({ mode: "number" }),
  price: numeric(),
  isOn: boolean(),
  data: jsonb().$type<{ list: (number | null)[]; text: string }>(),
  tags: text().array(),
  madeAt: timestamp({ withTimezone: true, mode: "date" }),
  noticedAt: timestamp({ withTimezone: true, mode: "string" }),
});

const CREATE = sql`create table things (id int primary key, name text not null unique, amount bigint
  not null, "safeAmount" bigint, price numeric, "isOn" boolean, data jsonb, tags text[],
  "madeAt" timestamptz, "noticedAt" timestamptz)`;

describe.each(databases)("$name database", ({ open }) => {
  let backend: SqlBackend;
  let server: LoopbackServer;
  const db = drizzle(neon(URL_WITH_SECRET));

  beforeAll(async () => {
    backend = await open();
    server = serveNeonHttp(backend, { secret: SECRET });
    neonConfig.fetchEndpoint = `${server.origin}/sql`;
    await db.execute(CREATE);
  });
  afterAll(async () => {
    await server.close();
    await backend.close();
  });

  it("returns through drizzle what was put in through drizzle", async () => {
    const thing = {
      id: 1,
      name: "ü ✓ 'quoted' \"twice\" \\",
      amount: 9_007_199_254_740_993n,
      safeAmount: 9_007_199_254_740_991,
      price: "123456789.000000001",
      isOn: true,
      data: { list: [1, null, 2.5], text: 'a "b" \n {c}' },
      tags: ["plain", "with, comma", 'with "quotes"', "", "NULL"],
      madeAt: new Date("2030-01-02T03:04:05.678Z"),
      noticedAt: "2030-01-02 03:04:05.678+00",
    };
    expect(await db.insert(things).values(thing).returning()).toEqual([thing]);
    expect(await db.select().from(things).where(eq(things.id, 1))).toEqual([thing]);

    const bare = { id: 2, name: "bare", amount: -1n };
    const [empty] = await db.insert(things).values(bare).returning();
    expect(empty).toEqual({
      ...bare,
      safeAmount: null,
      price: null,
      isOn: null,
      data: null,
      tags: null,
      madeAt: null,
      noticedAt: null,
    });
  });

  it("carries raw statements with their row count", async () => {
    const result = await db.execute<{ a: number; b: string }>(
      sql`select ${1}::int as a, ${"x"} as b union all select 2, 'y' order by a`,
    );
    expect(result.rows).toEqual([
      { a: 1, b: "x" },
      { a: 2, b: "y" },
    ]);
    expect(result).toMatchObject({ command: "SELECT", rowCount: 2 });
  });

  it("runs a batch as one transaction with a result for each statement", async () => {
    const [inserted, updated, all] = await db.batch([
      db.insert(things).values({ id: 10, name: "ten", amount: 10n }).returning({ id: things.id }),
      db.update(things).set({ amount: 11n }).where(eq(things.id, 10)),
      db.select({ amount: things.amount }).from(things).where(eq(things.id, 10)),
    ]);
    expect(inserted).toEqual([{ id: 10 }]);
    expect(updated.rowCount).toBe(1);
    expect(all).toEqual([{ amount: 11n }]);

    const failing = db.batch([
      db.insert(things).values({ id: 20, name: "twenty", amount: 0n }),
      db.insert(things).values({ id: 21, name: "ten", amount: 0n }),
    ]);
    await expect(failing).rejects.toMatchObject({ code: "23505" });
    expect(await db.select().from(things).where(eq(things.id, 20))).toEqual([]);
  });

  it("runs a batch of the client in the isolation it asks for", async () => {
    const client = neon(URL_WITH_SECRET);
    const shown = await client.transaction(
      [client`show transaction_isolation`, client`show transaction_read_only`],
      { isolationLevel: "Serializable", readOnly: true, deferrable: true },
    );
    expect(shown).toEqual([
      [{ transaction_isolation: "serializable" }],
      [{ transaction_read_only: "on" }],
    ]);
  });

  it("passes on Postgres' error fields", async () => {
    await db.insert(things).values({ id: 30, name: "thirty", amount: 0n });
    const error = await db
      .insert(things)
      .values({ id: 31, name: "thirty", amount: 0n })
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DrizzleQueryError);
    const { cause } = error as DrizzleQueryError;
    expect(cause).toBeInstanceOf(NeonDbError);
    expect(cause).toMatchObject({
      code: "23505",
      constraint: "things_name_key",
      table: "things",
      detail: "Key (name)=(thirty) already exists.",
    });
  });

  it("takes bytes and gives them back", async () => {
    const client = neon(URL_WITH_SECRET);
    const bytes = Buffer.from([0, 1, 254, 255]);
    expect(await client`select ${bytes}::bytea as bytes`).toEqual([{ bytes }]);
  });
});

describe("the endpoint", () => {
  const asked: string[] = [];
  let answer: () => Promise<never> = () => Promise.reject(new Error("not asked for"));
  const errors: unknown[] = [];
  const backend: SqlBackend = {
    kind: "embedded",
    query: (statement) => {
      asked.push(statement.text);
      return answer();
    },
    transaction: () => answer(),
    close: async () => undefined,
  };
  const server = serveNeonHttp(backend, {
    secret: SECRET,
    bodyLimitBytes: 10_000,
    onError: (error) => errors.push(error),
  });
  afterAll(() => server.close());

  const HEADERS = {
    "neon-connection-string": URL_WITH_SECRET,
    "neon-raw-text-output": "true",
    "neon-array-mode": "true",
  };
  const post = (
    body: BodyInit,
    headers: Record<string, string> = HEADERS,
    path: string = "/sql",
  ): Promise<Response> => fetch(server.origin + path, { method: "POST", headers, body });
  const SELECT = JSON.stringify({ query: "select 1", params: [] });

  it("is on loopback only", () => {
    expect(server.origin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it.each([
    ["no connection string", undefined],
    ["a string that is no URL", "nonsense"],
    ["no password", "postgres://coordinator@127.0.0.1/coordinator"],
    ["another password", `postgres://coordinator:${SECRET}x@127.0.0.1/coordinator`],
    ["the secret as the user", `postgres://${SECRET}@127.0.0.1/coordinator`],
  ])("refuses %s before it asks the database", async (_, connectionString) => {
    const { "neon-connection-string": _mine, ...headers } = HEADERS;
    const response = await post(SELECT, {
      ...headers,
      ...(connectionString === undefined ? {} : { "neon-connection-string": connectionString }),
    });
    expect(response.status).toBe(401);
    expect(asked).toEqual([]);
  });

  it.each([
    ["no JSON", "{", HEADERS, "the body is not JSON"],
    ["no statement", "{}", HEADERS, "not understood"],
    [
      "a parameter that is no value",
      '{"query":"select $1","params":[{"a":1}]}',
      HEADERS,
      "not understood",
    ],
    ["a statement with a NUL", JSON.stringify({ query: "select 1\0" }), HEADERS, "not understood"],
    [
      "other output",
      SELECT,
      { ...HEADERS, "neon-raw-text-output": "false" },
      "neon-raw-text-output",
    ],
    [
      "an unknown isolation",
      SELECT,
      { ...HEADERS, "neon-batch-isolation-level": "x" },
      "isolation",
    ],
  ])("answers %s with 400 and no value of the request", async (_, body, headers, message) => {
    const response = await post(body, headers);
    expect(response.status).toBe(400);
    const text = await response.text();
    expect(text).toContain(message);
    expect(text).not.toContain("select");
    expect(asked).toEqual([]);
  });

  it("answers other paths and methods, and bodies over the limit, as what they are", async () => {
    expect((await post(SELECT, HEADERS, "/")).status).toBe(404);
    expect((await fetch(`${server.origin}/sql`, { headers: HEADERS })).status).toBe(405);
    expect((await post("x".repeat(10_001))).status).toBe(413);
    const stream = new Blob(["x".repeat(20_000)]).stream();
    expect((await post(stream)).status).toBe(413);
    expect(asked).toEqual([]);
  });

  it("answers 503 without a database, and says nothing about an error of its own", async () => {
    answer = () => Promise.reject(new SqlUnavailableError("the database is away"));
    const away = await post(SELECT);
    expect([away.status, await away.text()]).toEqual([503, "the database is away"]);

    const bug = new Error("inner details");
    answer = () => Promise.reject(bug);
    const broken = await post(SELECT);
    expect(broken.status).toBe(500);
    expect(await broken.text()).not.toContain("inner details");
    expect(errors).toEqual([bug]);
  });
});
