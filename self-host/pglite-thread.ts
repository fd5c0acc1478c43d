import { Worker } from "node:worker_threads";
import type { ClusterOptions } from "./pglite-cluster";
import type { PgliteAnswer, PgliteRequest } from "./pglite-worker";
import {
  PostgresError,
  type SqlResult,
  SqlUnavailableError,
  statementTimedOut,
} from "./sql-backend";

/** A thread with an open database. It takes one request at a time; its caller queues. */
export type PgliteThread = {
  /** Whether the thread has ended, or is of no use any more and has been ended. */
  readonly isDead: () => boolean;
  /**
   * @param limitMs time for each statement. The thread is ended when one takes longer: nothing else
   * stops a statement.
   */
  readonly request: (request: PgliteRequest, limitMs: number) => Promise<SqlResult[]>;
  /** Returns when the thread, and with it every use of its files, has ended. */
  readonly kill: () => Promise<void>;
};

/** Making a cluster takes seconds on a slow machine, and so does the recovery after a crash. */
const OPEN_LIMIT_MS = 120_000;

/** @throws SqlUnavailableError where the database cannot be opened; the cause says why. */
export async function startPgliteThread(options: ClusterOptions): Promise<PgliteThread> {
  const worker = new Worker(new URL("./pglite-worker.ts", import.meta.url), {
    workerData: options,
  });
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  let isDead = false;
  let onAnswer: (answer: PgliteAnswer) => void = () => undefined;
  worker.on("message", (answer: PgliteAnswer) => onAnswer(answer));
  worker.on("error", (cause) => onAnswer({ type: "failed", cause }));
  worker.on("exit", () => {
    isDead = true;
    onAnswer({ type: "failed", cause: new Error("the thread ended") });
  });

  const kill = async (): Promise<void> => {
    isDead = true;
    onAnswer = () => undefined;
    await worker.terminate();
    await ended;
  };

  const exchange = (request: PgliteRequest | null, limitMs: number): Promise<SqlResult[]> => {
    const { promise, resolve, reject } = Promise.withResolvers<SqlResult[]>();
    const fail = (reason: Error): void => {
      clearTimeout(timer);
      // The files are free for the next thread once the caller hears of it.
      void kill().then(() => reject(reason));
    };
    const startTimer = (): Timer => setTimeout(() => fail(statementTimedOut()), limitMs);
    let timer = startTimer();
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      finish();
    };
    onAnswer = (answer) => {
      switch (answer.type) {
        case "progress":
          clearTimeout(timer);
          timer = startTimer();
          return;
        case "open":
        case "closed":
          return settle(() => resolve([]));
        case "results":
          return settle(() => resolve(answer.results));
        case "refused":
          return settle(() => reject(new PostgresError(answer.message, answer.fields)));
        case "failed":
          return fail(
            new SqlUnavailableError("the embedded database stopped", { cause: answer.cause }),
          );
      }
    };
    if (request !== null) worker.postMessage(request, []);
    return promise;
  };

  await exchange(null, OPEN_LIMIT_MS);
  return { isDead: () => isDead, request: exchange, kill };
}
