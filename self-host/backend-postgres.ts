import { DatabaseError, Pool, type PoolClient } from "pg";
import { SelfHostError } from "./self-host-error";
import {
  beginSql,
  PostgresError,
  postgresErrorFields,
  type SqlBackend,
  type SqlResult,
  type SqlStatement,
  SqlUnavailableError,
  transactionLeftOpen,
} from "./sql-backend";

export type PostgresBackendOptions = {
  /** `postgres://user:password@host:port/database`, with `?sslmode=…` where the server asks for it. */
  readonly databaseUrl: string;
  /** Connections at most. */
  readonly poolSize?: number | undefined;
  /** Limit for each statement; the server keeps it. */
  readonly statementTimeoutMs?: number | undefined;
};

const POOL_SIZE = 10;
const STATEMENT_TIMEOUT_MS = 10_000;
/** For a connection, and for the turn of a statement where all connections are busy. */
const CONNECT_TIMEOUT_MS = 5_000;
/** The server gives up first; only one that is gone or hangs takes this much longer. */
const GRACE_MS = 2_000;

/**
 * Opens a real Postgres. A connection that drops fails the statements on it and is replaced by the
 * next statement's.
 *
 * @throws SelfHostError where the server cannot be reached or refuses the connection.
 */
export async function openPostgresBackend(options: PostgresBackendOptions): Promise<SqlBackend> {
  const timeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
  const pool = openPool(options, timeoutMs);
  // An idle connection that the server closes is no error of anybody's: the pool has dropped it.
  pool.on("error", () => undefined);
  try {
    (await pool.connect()).release();
  } catch (cause) {
    await pool.end();
    throw cannotConnect(cause);
  }

  const withClient = async <Value>(
    work: (client: PoolClient) => Promise<Value>,
  ): Promise<Value> => {
    if (pool.ending) throw new SqlUnavailableError("the database is closed");
    const client = await pool.connect().catch((error: unknown) => Promise.reject(translate(error)));
    // Without a listener the loss of a connection in use would end the process. Its statements fail.
    const ignore = (): undefined => undefined;
    client.on("error", ignore);
    let isReusable = false;
    try {
      const value = await work(client);
      isReusable = true;
      return value;
    } catch (error) {
      const translated = translate(error);
      isReusable = translated instanceof PostgresError;
      throw translated;
    } finally {
      client.off("error", ignore);
      // Nobody's open transaction goes back to the pool.
      client.release(!isReusable || client.getTransactionStatus() !== "I");
    }
  };

  return {
    kind: "postgres",
    query: (statement) =>
      withClient(async (client) => {
        const result = await execute(client, statement);
        if (client.getTransactionStatus() !== "I") throw transactionLeftOpen();
        return result;
      }),
    transaction: (statements, transactionOptions = {}) =>
      withClient(async (client) => {
        // Awaited alone: were it refused, the statements behind it would each commit by themselves.
        await client.query(beginSql(transactionOptions));
        // The connection pipelines, so these take one round trip. After an error Postgres refuses
        // the rest and turns the COMMIT into a ROLLBACK.
        const answers = statements.map((statement) => execute(client, statement));
        const end = client.query("COMMIT");
        const settled = await Promise.allSettled([...answers, end]);
        for (const answer of settled) if (answer.status === "rejected") throw answer.reason;
        return Promise.all(answers);
      }),
    close: async () => {
      if (!pool.ending) await pool.end();
    },
  };
}

function openPool(options: PostgresBackendOptions, timeoutMs: number): Pool {
  const { databaseUrl } = options;
  if (!/^postgres(ql)?:\/\//.test(databaseUrl) || !URL.canParse(databaseUrl)) {
    throw new SelfHostError(
      "DATABASE_URL is not the URL of a PostgreSQL",
      "It looks like postgres://user:password@host:5432/database.",
    );
  }
  return new Pool({
    connectionString: databaseUrl,
    max: options.poolSize ?? POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: timeoutMs,
    query_timeout: timeoutMs + GRACE_MS,
    keepAlive: true,
    pipeline: true,
    application_name: "monkey-troop",
    // As the embedded one and Neon write times, whatever the server's own settings.
    options: "-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=postgres",
  });
}

async function execute(client: PoolClient, statement: SqlStatement): Promise<SqlResult> {
  const query = {
    text: statement.text,
    values: [...statement.params],
    rowMode: "array" as const,
    // Values stay the text that Postgres wrote.
    types: { getTypeParser: () => String },
    // Otherwise a statement without parameters may be several, which the embedded one and Neon refuse.
    queryMode: "extended",
  };
  const result = await client.query<(string | null)[]>(query);
  const { command, rowCount, fields, rows } = result;
  return { command: command ?? "", rowCount, fields, rows };
}

/** A refusal of the statement leaves the connection of use; anything else does not. */
function translate(error: unknown): Error {
  if (error instanceof PostgresError || error instanceof SqlUnavailableError) return error;
  if (error instanceof DatabaseError && error.severity === "ERROR") {
    return new PostgresError(error.message, postgresErrorFields(error));
  }
  return new SqlUnavailableError("the connection to PostgreSQL failed", { cause: error });
}

function cannotConnect(cause: unknown): SelfHostError {
  const isRefusal = cause instanceof DatabaseError;
  const reason = isRefusal ? `refuses the connection (${cause.code})` : "cannot be reached";
  return new SelfHostError(
    `the PostgreSQL of DATABASE_URL ${reason}`,
    isRefusal
      ? "Check user, password and database in DATABASE_URL."
      : "Is it running, and are host and port in DATABASE_URL right?",
    { cause },
  );
}
