import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  PostgresError,
  type SqlBackend,
  type SqlStatement,
  SqlUnavailableError,
} from "#self-host/sql-backend";
import { databases } from "./databases";

const sql = (text: string, ...params: (string | null)[]): SqlStatement => ({ text, params });

describe.each(databases)("$name database", ({ open }) => {
  let backend: SqlBackend;
  beforeAll(async () => {
    backend = await open();
    await backend.query(sql("create table items (id int primary key, name text unique)"));
  });
  afterAll(() => backend.close());

  const refusal = async (work: Promise<unknown>): Promise<PostgresError> => {
    const error = await work.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PostgresError);
    return error as PostgresError;
  };
  const count = async (where: string): Promise<string | null | undefined> =>
    (await backend.query(sql(`select count(*) from items where ${where}`))).rows[0]?.[0];

  it("refuses a batch whose commit is refused, though each of its statements passed", async () => {
    const text = "create table deferred (id int unique deferrable initially deferred)";
    await backend.query(sql(text));
    const twice = [sql("insert into deferred values (1)"), sql("insert into deferred values (1)")];
    expect((await refusal(backend.transaction(twice))).fields.code).toBe("23505");
    expect((await backend.query(sql("select count(*) from deferred"))).rows).toEqual([["0"]]);
  });

  it("gives every value as the text that Postgres wrote, and describes the columns", async () => {
    const result = await backend.query(
      sql(
        `select $1::int + 1 as a, 9007199254740993::bigint as b, '{"x": [1, null]}'::jsonb as c,
           array['p','q r']::text[] as d, null::text as e, true as f, '\\x00ff'::bytea as g,
           timestamptz '2030-01-02 03:04:05.678+00' at time zone 'UTC' as h, $2::text as i`,
        "41",
        "ü ✓",
      ),
    );
    expect(result.rows).toEqual([
      [
        "42",
        "9007199254740993",
        '{"x": [1, null]}',
        '{p,"q r"}',
        null,
        "t",
        "\\x00ff",
        "2030-01-02 03:04:05.678",
        "ü ✓",
      ],
    ]);
    expect(result).toMatchObject({ command: "SELECT", rowCount: 1 });
    expect(result.fields.map(({ name, dataTypeID }) => [name, dataTypeID])).toEqual([
      ["a", 23],
      ["b", 20],
      ["c", 3802],
      ["d", 1009],
      ["e", 25],
      ["f", 16],
      ["g", 17],
      ["h", 1114],
      ["i", 25],
    ]);
  });

  it("tells how many rows a command changed, and null where it counts none", async () => {
    const insert = await backend.query(sql("insert into items values (1, 'one'), (2, 'two')"));
    expect(insert).toMatchObject({ command: "INSERT", rowCount: 2, rows: [], fields: [] });
    const ddl = await backend.query(sql("create table others (id int)"));
    expect(ddl).toMatchObject({ command: "CREATE", rowCount: null });
    const nothing = await backend.query(sql("-- only a comment"));
    expect(nothing).toEqual({ command: "", rowCount: null, rows: [], fields: [] });
  });

  it("passes on the error fields of Postgres", async () => {
    await backend.query(sql("insert into items values (10, 'ten')"));
    const error = await refusal(backend.query(sql("insert into items values (11, 'ten')")));
    expect(error.message).toContain("duplicate key");
    expect(error.fields).toMatchObject({
      severity: "ERROR",
      code: "23505",
      table: "items",
      constraint: "items_name_key",
      detail: "Key (name)=(ten) already exists.",
    });
  });

  it("runs one statement at a time, so that none can be smuggled in", async () => {
    const error = await refusal(backend.query(sql("select 1; select 2")));
    expect(error.fields.code).toBe("42601");
  });

  it("refuses a transaction left open and goes on without it", async () => {
    expect((await refusal(backend.query(sql("begin")))).fields.code).toBe("25001");
    await backend.query(sql("insert into items values (20, 'twenty')"));
    expect(await count("id = 20")).toBe("1");
  });

  it("undoes a whole batch when one of its statements fails", async () => {
    const error = await refusal(
      backend.transaction([
        sql("insert into items values (30, 'thirty')"),
        sql("insert into items values (30, 'again')"),
        sql("insert into items values (31, 'never')"),
      ]),
    );
    expect(error.fields.code).toBe("23505");
    expect(await count("id in (30, 31)")).toBe("0");
  });

  it("undoes a batch whose commit fails", async () => {
    await backend.query(
      sql(
        "create table pairs (id int primary key, other int references pairs deferrable initially deferred)",
      ),
    );
    const error = await refusal(backend.transaction([sql("insert into pairs values (1, 2)")]));
    expect(error.fields.code).toBe("23503");
    expect((await backend.query(sql("select * from pairs"))).rows).toEqual([]);
  });

  it("runs a batch in the isolation and access mode asked for", async () => {
    const show = [sql("show transaction_isolation"), sql("show transaction_read_only")];
    const modes = async (options: Parameters<SqlBackend["transaction"]>[1]): Promise<unknown> =>
      (await backend.transaction(show, options)).map((result) => result.rows[0]?.[0]);
    expect(await modes({})).toEqual(["read committed", "off"]);
    expect(
      await modes({ isolationLevel: "Serializable", readOnly: true, deferrable: true }),
    ).toEqual(["serializable", "on"]);
    expect(await modes({ isolationLevel: "RepeatableRead", readOnly: false })).toEqual([
      "repeatable read",
      "off",
    ]);
  });

  it("lets nothing between the statements of a batch be seen before it ends", async () => {
    const batch = backend.transaction([
      sql("insert into items values (40, 'forty')"),
      sql("select pg_sleep(0.05)"),
      sql("insert into items values (41, 'forty-one')"),
    ]);
    const seen = Promise.all(Array.from({ length: 20 }, () => count("id in (40, 41)")));
    await batch;
    expect(new Set(await seen).has("1")).toBe(false);
    expect(await count("id in (40, 41)")).toBe("2");
  });

  it("runs plpgsql bodies", async () => {
    await backend.query(
      sql(
        "create function double(n int) returns int language plpgsql as $$ begin return n * 2; end $$",
      ),
    );
    expect((await backend.query(sql("select double($1)", "21"))).rows).toEqual([["42"]]);
  });
});

describe.each(databases)("$name database", ({ open }) => {
  it("is of no more use once closed, and may be closed twice", async () => {
    const backend = await open();
    await backend.close();
    await expect(backend.query(sql("select 1"))).rejects.toBeInstanceOf(SqlUnavailableError);
    await expect(backend.transaction([])).rejects.toBeInstanceOf(SqlUnavailableError);
  });

  it("stops a statement at its limit with the code of Postgres", async () => {
    const backend = await open({ statementTimeoutMs: 200 });
    await expect(backend.query(sql("select pg_sleep(60)"))).rejects.toMatchObject({
      fields: { code: "57014" },
    });
    await backend.close();
  });
});
