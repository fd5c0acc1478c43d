import { z } from "zod";
import { type LoopbackOptions, type LoopbackServer, serveLoopback } from "./loopback-server";
import { secretChecker } from "./secret";
import {
  POSTGRES_ERROR_FIELDS,
  PostgresError,
  type SqlBackend,
  type SqlResult,
  type SqlStatement,
  SqlUnavailableError,
  type TransactionOptions,
} from "./sql-backend";

/**
 * The wire protocol of Neon's SQL over HTTP, as `neon()` of `@neondatabase/serverless` 1.2 speaks it:
 *
 * `POST /sql` with `{query, params}`, or `{queries: [{query, params}, …]}` for a batch in one
 * transaction. `Neon-Connection-String` holds the secret as its password; `Neon-Raw-Text-Output` and
 * `Neon-Array-Mode` are always `true`; a batch may say `Neon-Batch-Isolation-Level`, `-Read-Only` and
 * `-Deferrable`.
 *
 * Answers: 200 with `{command, rowCount, fields, rows, rowAsArray}`, or `{results: [those]}`; 400 with
 * the error fields of Postgres, or with a `message` alone where the request is not understood; 401
 * without the secret; 413; 503 where there is no database to ask.
 */
export function serveNeonHttp(
  backend: SqlBackend,
  options: LoopbackOptions & { readonly secret: string },
): LoopbackServer {
  const isSecret = secretChecker(options.secret);
  return serveLoopback(async (request) => {
    if (new URL(request.url).pathname !== "/sql") return new Response("not found", { status: 404 });
    if (request.method !== "POST") return new Response("use POST", { status: 405 });
    if (!isSecret(passwordOf(request.headers))) {
      return new Response("wrong password in Neon-Connection-String", { status: 401 });
    }
    try {
      return Response.json(await answer(backend, request));
    } catch (error) {
      return refusal(error);
    }
  }, options);
}

// JSON can say text, numbers and truth values; Postgres reads them all from text.
const Parameter = z.union([
  z.string(),
  z.number().transform(String),
  z.boolean().transform(String),
  z.null(),
]);
const Query = z.object({
  // The protocol of Postgres ends a statement at a NUL, and would take the rest for its next message.
  query: z.string().refine((text) => !text.includes("\0"), "holds a NUL"),
  params: z.array(Parameter).default([]),
});
const Body = z.union([z.object({ queries: z.array(Query) }), Query]);

const Flag = z.enum(["true", "false"]).transform((text) => text === "true");
const WireHeaders = z.object({
  "neon-raw-text-output": z.literal("true"),
  "neon-array-mode": z.literal("true"),
  "neon-batch-isolation-level": z
    .enum(["ReadUncommitted", "ReadCommitted", "RepeatableRead", "Serializable"])
    .optional(),
  "neon-batch-read-only": Flag.optional(),
  "neon-batch-deferrable": Flag.optional(),
});

async function answer(backend: SqlBackend, request: Request): Promise<object> {
  const headers = WireHeaders.parse(Object.fromEntries(request.headers));
  const body = Body.parse(await request.json());
  if (!("queries" in body)) return resultBody(await backend.query(statementOf(body)));

  const options: TransactionOptions = {
    isolationLevel: headers["neon-batch-isolation-level"],
    readOnly: headers["neon-batch-read-only"],
    deferrable: headers["neon-batch-deferrable"],
  };
  const results = await backend.transaction(body.queries.map(statementOf), options);
  return { results: results.map(resultBody) };
}

function statementOf({ query, params }: z.infer<typeof Query>): SqlStatement {
  return { text: query, params };
}

function resultBody(result: SqlResult): object {
  return { ...result, rowAsArray: true };
}

function refusal(error: unknown): Response {
  if (error instanceof PostgresError) {
    const fields = POSTGRES_ERROR_FIELDS.map((field) => [field, error.fields[field] ?? null]);
    return Response.json(
      { message: error.message, ...Object.fromEntries(fields) },
      { status: 400 },
    );
  }
  if (error instanceof z.ZodError) {
    const places = error.issues.map((issue) => issue.path.join(".") || "body");
    return Response.json({ message: `not understood: ${places.join(", ")}` }, { status: 400 });
  }
  if (error instanceof SyntaxError) {
    return Response.json({ message: "the body is not JSON" }, { status: 400 });
  }
  if (error instanceof SqlUnavailableError) return new Response(error.message, { status: 503 });
  throw error;
}

/** As the URL has it: the secret is made of characters that need no escapes. */
function passwordOf(headers: Headers): string {
  return URL.parse(headers.get("neon-connection-string") ?? "")?.password ?? "";
}
