import type { Identity } from "#protocol/identity";
import { signReceipt } from "#protocol/receipt";
import { MAX_BATCH, type SubmitAnswer, type SubmitRequest } from "#protocol/submit";
import { CoordinatorProblem } from "../coordinator/errors";
import { backoffMs } from "./backoff";
import type { Clock } from "./clock";
import type { Outbox, RefusedReceipt, UnsentReceipt } from "./outbox";

/** Sends receipts from the outbox until the coordinator has each: late, again, but never not at all. */
export type Submitter = {
  /** There is a receipt to send. */
  readonly wake: () => void;
  /** Sends what there is, once, without waiting for a better moment; never throws. */
  flush(): Promise<void>;
  /** Resolves when nothing is being sent. */
  settled(): Promise<void>;
  readonly stop: () => void;
};

export type SubmitterOptions = {
  readonly outbox: Outbox;
  readonly identity: Identity;
  readonly submit: (request: SubmitRequest) => Promise<SubmitAnswer>;
  readonly clock: Clock;
  /** A receipt was refused for good. */
  readonly onRefused: (code: string) => void;
};

/** After a rest the receipts of one moment travel together: who asks for a balance then finds them in it. */
const GATHER_MS = 100;
/** Under load they gather for as long as this since the last call, as calls are counted. */
const BETWEEN_CALLS_MS = 400;

export function createSubmitter(options: SubmitterOptions): Submitter {
  const { outbox, identity, clock } = options;
  let sending: Promise<void> | undefined;
  let disarm: (() => void) | undefined;
  let lastCallMs = -Infinity;
  let failures = 0;
  let isStopped = false;
  /** One by one while there is an item among them that the coordinator does not even read. */
  let batchSize = MAX_BATCH;

  function wake(): void {
    // While the coordinator is away the retry is armed already.
    if (isStopped || sending !== undefined || failures > 0 || outbox.unsentCount === 0) return;
    if (outbox.unsentCount >= MAX_BATCH) void run("batches");
    else disarm ??= clock.after(gatherMs(), () => void run("batches"));
  }

  function gatherMs(): number {
    const sinceLastMs = clock.steadyMs() - lastCallMs;
    return Math.max(GATHER_MS, BETWEEN_CALLS_MS - sinceLastMs);
  }

  function run(how: "batches" | "all"): Promise<void> {
    disarm?.();
    disarm = undefined;
    sending ??= send(how).finally(() => {
      sending = undefined;
      wake();
    });
    return sending;
  }

  async function send(how: "batches" | "all"): Promise<void> {
    for (;;) {
      const batch = outbox.unsent(batchSize);
      if (batch.length === 0) break;
      try {
        await sendBatch(batch);
        failures = 0;
      } catch (error) {
        if (!setAsideUnreadable(batch, error)) {
          retryLater(error);
          return;
        }
      }
      // A rest smaller than a batch waits for more: calls are counted, too.
      const isRest = outbox.unsentCount < MAX_BATCH && batchSize === MAX_BATCH;
      if (how === "batches" && isRest) break;
    }
    batchSize = MAX_BATCH;
  }

  async function sendBatch(batch: readonly UnsentReceipt[]): Promise<void> {
    const receipts = await Promise.all(batch.map(({ draft }) => signReceipt(identity, draft)));
    const tickets = [...new Set(batch.map(({ ticket }) => ticket))];
    lastCallMs = clock.steadyMs();
    const { results } = await options.submit({ tickets, receipts });
    if (results.length !== batch.length) throw new Error("The answer does not fit the batch.");
    const refused: RefusedReceipt[] = [];
    const taken: number[] = [];
    results.forEach((result, at) => {
      const id = batch[at]?.id ?? -1;
      if (result.status === "refused") refused.push({ id, code: result.code });
      else taken.push(id);
    });
    outbox.remove(taken);
    setAside(refused);
  }

  /** Whether `error` says that the batch can never be read, and something was done about it. */
  function setAsideUnreadable(batch: readonly UnsentReceipt[], error: unknown): boolean {
    if (!(error instanceof CoordinatorProblem)) return false;
    const { code } = error.problem;
    if (code !== "request_invalid" && code !== "body_too_large") return false;
    if (batch.length > 1) batchSize = 1;
    else setAside(batch.map(({ id }) => ({ id, code })));
    return true;
  }

  function setAside(items: readonly RefusedReceipt[]): void {
    if (items.length === 0) return;
    outbox.refuse(items, clock.wallMs());
    for (const { code } of items) options.onRefused(code);
  }

  function retryLater(error: unknown): void {
    failures += 1;
    if (isStopped) return;
    const asked = error instanceof CoordinatorProblem ? error.retryAfterMs : undefined;
    disarm = clock.after(asked ?? backoffMs(failures), () => void run("batches"));
  }

  return {
    wake,
    async flush() {
      // One that is under way may have begun before the last receipt came.
      await sending;
      await run("all");
    },
    settled: async () => sending,
    stop: () => {
      isStopped = true;
      disarm?.();
    },
  };
}
