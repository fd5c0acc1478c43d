import { MAX_BATCH, type SubmitAnswer } from "#protocol/submit";
import { CoordinatorProblem } from "../coordinator/errors";
import { backoffMs } from "../backoff";
import type { Clock } from "../clock";
import type { Outbox, RefusedItem, Unsent } from "./outbox";

/** Sends what lies in an outbox until the coordinator has each: late, again, but never not at all. */
export type Submitter = {
  /** There is an item to send. */
  readonly wake: () => void;
  /** Sends what there is, once, without waiting for a better moment; never throws. */
  flush(): Promise<void>;
  /** Resolves when nothing is being sent. */
  settled(): Promise<void>;
  readonly stop: () => void;
};

export type SubmitterOptions<Item> = {
  readonly outbox: Pick<Outbox<never, Item>, "unsent" | "unsentCount" | "remove" | "refuse">;
  /** One result for each of `items`; `tickets`: those that they belong to, each once. */
  readonly submit: (items: Item[], tickets: string[]) => Promise<SubmitAnswer>;
  readonly clock: Clock;
  /** An item was refused for good. */
  readonly onRefused: (code: string) => void;
};

/** After a rest the items of one moment travel together: who asks for a balance then finds them in it. */
const GATHER_MS = 100;
/** Under load they gather for as long as this since the last call, as calls are counted. */
const BETWEEN_CALLS_MS = 400;

export function createSubmitter<Item>(options: SubmitterOptions<Item>): Submitter {
  const { outbox, clock } = options;
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

  async function sendBatch(batch: readonly Unsent<Item>[]): Promise<void> {
    const items = batch.map(({ item }) => item);
    const tickets = [...new Set(batch.map(({ ticket }) => ticket))];
    lastCallMs = clock.steadyMs();
    const { results } = await options.submit(items, tickets);
    if (results.length !== batch.length) throw new Error("The answer does not fit the batch.");
    const refused: RefusedItem[] = [];
    const taken: number[] = [];
    results.forEach((result, at) => {
      const id = batch[at]?.id ?? -1;
      if (result.status !== "refused") taken.push(id);
      // It was not looked at: its turn comes with a later batch.
      else if (result.code !== "batch_full") refused.push({ id, code: result.code });
    });
    if (taken.length + refused.length === 0) throw new Error("The coordinator looked at nothing.");
    outbox.remove(taken);
    setAside(refused);
  }

  /** Whether `error` says that the batch can never be read, and something was done about it. */
  function setAsideUnreadable(batch: readonly Unsent<Item>[], error: unknown): boolean {
    if (!(error instanceof CoordinatorProblem)) return false;
    const { code } = error.problem;
    if (code !== "request_invalid" && code !== "body_too_large") return false;
    if (batch.length > 1) batchSize = 1;
    else setAside(batch.map(({ id }) => ({ id, code })));
    return true;
  }

  function setAside(items: readonly RefusedItem[]): void {
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
      // One that is under way may have begun before the last item came.
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
