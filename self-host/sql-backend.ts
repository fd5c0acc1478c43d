/** One statement of the extended query protocol: parameters go as text, exactly as a client wrote them. */
export type SqlStatement = {
  readonly text: string;
  readonly params: readonly (string | null)[];
};

/** A column, as Postgres describes it; ids are 0 for columns that are no table's. */
export type SqlField = {
  readonly name: string;
  readonly tableID: number;
  readonly columnID: number;
  readonly dataTypeID: number;
  readonly dataTypeSize: number;
  readonly dataTypeModifier: number;
  readonly format: string;
};

export type SqlResult = {
  /** First word of the command tag, such as `SELECT`; empty for an empty statement. */
  readonly command: string;
  /** Null for commands that count no rows. */
  readonly rowCount: number | null;
  readonly fields: readonly SqlField[];
  /** Values are Postgres' own text, so that a client's parsers see what any Postgres would send. */
  readonly rows: readonly (readonly (string | null)[])[];
};

export type IsolationLevel =
  | "ReadUncommitted"
  | "ReadCommitted"
  | "RepeatableRead"
  | "Serializable";

export type TransactionOptions = {
  readonly isolationLevel?: IsolationLevel | undefined;
  readonly readOnly?: boolean | undefined;
  readonly deferrable?: boolean | undefined;
};

/**
 * A Postgres, embedded or real. Both methods throw `PostgresError` where Postgres refuses a statement
 * and `SqlUnavailableError` where there is no Postgres to ask.
 */
export type SqlBackend = {
  readonly kind: "embedded" | "postgres";
  /** Runs one statement in a transaction of its own. */
  readonly query: (statement: SqlStatement) => Promise<SqlResult>;
  /** Runs all statements in one transaction; the first error undoes all of them. */
  readonly transaction: (
    statements: readonly SqlStatement[],
    options?: TransactionOptions,
  ) => Promise<SqlResult[]>;
  /** Later calls are refused. */
  readonly close: () => Promise<void>;
};

/** Names of the error fields of the wire protocol, as clients know them. */
export const POSTGRES_ERROR_FIELDS = [
  "severity",
  "code",
  "detail",
  "hint",
  "position",
  "internalPosition",
  "internalQuery",
  "where",
  "schema",
  "table",
  "column",
  "dataType",
  "constraint",
  "file",
  "line",
  "routine",
] as const;

export type PostgresErrorFields = {
  readonly [Field in (typeof POSTGRES_ERROR_FIELDS)[number]]?: string | undefined;
};

/**
 * What Postgres answered instead of a result. Message and detail can hold values of the statement:
 * they are for the client that sent it, never for a log.
 */
export class PostgresError extends Error {
  override readonly name = "PostgresError";
  readonly fields: PostgresErrorFields;

  constructor(message: string, fields: PostgresErrorFields) {
    super(message);
    this.fields = fields;
  }
}

/** The database could not be asked, or did not say whether it did what was asked. */
export class SqlUnavailableError extends Error {
  override readonly name = "SqlUnavailableError";
}

/** The error that Postgres itself gives for `statement_timeout`. */
export function statementTimedOut(): PostgresError {
  return new PostgresError("canceling statement due to statement timeout", {
    severity: "ERROR",
    code: "57014",
  });
}

/** A statement that opens a transaction and leaves it open would swallow the commits of those after it. */
export function transactionLeftOpen(): PostgresError {
  return new PostgresError("a statement may not leave a transaction open; send a batch instead", {
    severity: "ERROR",
    code: "25001",
  });
}

const ISOLATION_SQL: Readonly<Record<IsolationLevel, string>> = {
  ReadUncommitted: "READ UNCOMMITTED",
  ReadCommitted: "READ COMMITTED",
  RepeatableRead: "REPEATABLE READ",
  Serializable: "SERIALIZABLE",
};

export function beginSql(options: TransactionOptions = {}): string {
  const modes: string[] = [];
  if (options.isolationLevel !== undefined) {
    modes.push(`ISOLATION LEVEL ${ISOLATION_SQL[options.isolationLevel]}`);
  }
  if (options.readOnly !== undefined) modes.push(options.readOnly ? "READ ONLY" : "READ WRITE");
  if (options.deferrable !== undefined) {
    modes.push(options.deferrable ? "DEFERRABLE" : "NOT DEFERRABLE");
  }
  return ["BEGIN", modes.join(", ")].join(" ").trim();
}

/** Copies the known error fields and nothing else from an error that carries them. */
export function postgresErrorFields(error: object): PostgresErrorFields {
  const given = error as Record<string, unknown>;
  const entries = POSTGRES_ERROR_FIELDS.flatMap((field) =>
    typeof given[field] === "string" ? [[field, given[field]] as const] : [],
  );
  return Object.fromEntries(entries);
}
