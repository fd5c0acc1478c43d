// The embedded Postgres, in a thread of its own: a statement keeps the thread from anything else
// until it is done, and only ending the thread can stop one.
import { parentPort, workerData } from "node:worker_threads";
import type { PGlite } from "@electric-sql/pglite";
import { type ClusterOptions, openCluster } from "./pglite-cluster";
import { runStatement, runTransaction } from "./pglite-session";
import {
  PostgresError,
  type PostgresErrorFields,
  type SqlResult,
  type SqlStatement,
  type TransactionOptions,
} from "./sql-backend";

/** What the thread is asked to do; one at a time. */
export type PgliteRequest =
  | { readonly type: "statement"; readonly statement: SqlStatement }
  | {
      readonly type: "transaction";
      readonly statements: readonly SqlStatement[];
      readonly options: TransactionOptions;
    }
  | { readonly type: "close" };

/** `open` comes once by itself, `progress` for every statement of a transaction, one of the others for each request. */
export type PgliteAnswer =
  | { readonly type: "open" }
  | { readonly type: "progress" }
  | { readonly type: "results"; readonly results: SqlResult[] }
  | { readonly type: "refused"; readonly message: string; readonly fields: PostgresErrorFields }
  | { readonly type: "closed" }
  /** The engine is of no use any more; its data can be opened by another one. */
  | { readonly type: "failed"; readonly cause: unknown };

if (parentPort === null) throw new Error("this file is the entry of a thread");
const port = parentPort;
const post = (answer: PgliteAnswer): void => port.postMessage(answer);

async function answer(pglite: PGlite, request: PgliteRequest): Promise<PgliteAnswer> {
  try {
    if (request.type === "close") {
      await pglite.close();
      return { type: "closed" };
    }
    if (request.type === "statement") {
      return { type: "results", results: [await runStatement(pglite, request.statement)] };
    }
    const { statements, options } = request;
    const progress = (): void => post({ type: "progress" });
    return {
      type: "results",
      results: await runTransaction(pglite, statements, options, progress),
    };
  } catch (error) {
    if (!(error instanceof PostgresError)) return { type: "failed", cause: error };
    return { type: "refused", message: error.message, fields: error.fields };
  }
}

try {
  const pglite = await openCluster(workerData as ClusterOptions);
  port.on("message", (request: PgliteRequest) => void answer(pglite, request).then(post));
  post({ type: "open" });
} catch (error) {
  post({ type: "failed", cause: error });
}
