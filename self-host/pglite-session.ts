import { type PGlite, protocol } from "@electric-sql/pglite";
import {
  beginSql,
  PostgresError,
  postgresErrorFields,
  type SqlField,
  type SqlResult,
  type SqlStatement,
  transactionLeftOpen,
  type TransactionOptions,
} from "./sql-backend";

const { serialize, messages } = protocol;

type Reply = {
  readonly result: SqlResult;
  readonly error: PostgresError | null;
  /** `I` idle, `T` in a transaction, `E` in a failed one. */
  readonly transactionStatus: string;
};

/** Runs one statement in a transaction of its own. */
export async function runStatement(pglite: PGlite, statement: SqlStatement): Promise<SqlResult> {
  const reply = await execute(pglite, statement);
  if (reply.transactionStatus !== "I") {
    await rollback(pglite);
    throw reply.error ?? transactionLeftOpen();
  }
  if (reply.error !== null) throw reply.error;
  return reply.result;
}

/** Runs all statements in one transaction. `onStatement` is called when each of them is done. */
export async function runTransaction(
  pglite: PGlite,
  statements: readonly SqlStatement[],
  options: TransactionOptions,
  onStatement: () => void,
): Promise<SqlResult[]> {
  const results: SqlResult[] = [];
  try {
    await executeOrThrow(pglite, { text: beginSql(options), params: [] });
    for (const statement of statements) {
      results.push(await executeOrThrow(pglite, statement));
      onStatement();
    }
    await executeOrThrow(pglite, { text: "COMMIT", params: [] });
    return results;
  } catch (error) {
    await rollback(pglite);
    throw error;
  }
}

async function executeOrThrow(pglite: PGlite, statement: SqlStatement): Promise<SqlResult> {
  const { result, error } = await execute(pglite, statement);
  if (error !== null) throw error;
  return result;
}

/** Outside a transaction this is only a warning. */
async function rollback(pglite: PGlite): Promise<void> {
  await executeOrThrow(pglite, { text: "ROLLBACK", params: [] });
}

/**
 * One trip into the engine for the whole exchange, half the time of `PGlite.query`, and without its
 * conversions: values stay the text that Postgres wrote.
 */
async function execute(pglite: PGlite, statement: SqlStatement): Promise<Reply> {
  const exchange = Buffer.concat([
    serialize.parse({ text: statement.text }),
    serialize.bind({ values: [...statement.params] }),
    serialize.describe({ type: "P" }),
    serialize.execute({}),
    serialize.sync(),
  ]);
  const answer = await pglite.execProtocol(exchange, { throwOnError: false });

  let error: PostgresError | null = null;
  let fields: readonly SqlField[] = [];
  let tag = "";
  let transactionStatus: string | null = null;
  const rows: (string | null)[][] = [];
  for (const message of answer.messages) {
    if (message instanceof messages.DatabaseError) {
      error ??= new PostgresError(message.message, postgresErrorFields(message));
    } else if (message instanceof messages.RowDescriptionMessage) {
      fields = message.fields.map(fieldOf);
    } else if (message instanceof messages.DataRowMessage) {
      rows.push(message.fields);
    } else if (message instanceof messages.CommandCompleteMessage) {
      tag = message.text;
    } else if (message instanceof messages.ReadyForQueryMessage) {
      transactionStatus = message.status;
    }
  }
  // Postgres always ends with this, unless it has crashed, which PGlite does not report.
  if (transactionStatus === null)
    throw new Error("the engine stopped in the middle of a statement");
  return { result: { ...commandOf(tag), fields, rows }, error, transactionStatus };
}

function fieldOf(field: Omit<SqlField, "format">): SqlField {
  const { name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier } = field;
  return { name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier, format: "text" };
}

/** A tag that counts rows ends in the number: `SELECT 2`, `INSERT 0 5`, but `CREATE TABLE`. */
function commandOf(tag: string): Pick<SqlResult, "command" | "rowCount"> {
  const words = tag.split(" ");
  const count = Number.parseInt(words.at(-1) ?? "", 10);
  return { command: words[0] ?? "", rowCount: Number.isNaN(count) ? null : count };
}
