import type { Fault } from "./faults";
import type { JournalEntry } from "./journal";
import type { Frames } from "./voice";
import type { Ticker } from "./ticker";

/** A stream on its way out; `finish` is called once, whichever way it ends. */
export type Job = {
  readonly frames: Frames;
  readonly fault: Fault | null;
  /** What the engine sends when it fails midway. */
  readonly failure: string;
  readonly tokensPerSecond: number;
  readonly ticker: Ticker;
  readonly entry: JournalEntry;
  finish(outcome: "completed" | "cancelled" | "broken"): void;
};

/** What to do next: text to send, or one of the two ways to send nothing more. */
type Step = { readonly text: string; readonly token: boolean } | "cut" | "stall";

/** What some faults put between two frames, after which the stream goes on. */
const INSERTED: Partial<Record<Fault["kind"], string>> = {
  malformed: 'data: {"choices":[{"index":0,"delta":{"content":"\n\n',
  ping: ":\n\n",
};

const BLOCK_CHARS = 16_384;
/** A connection that is reset at once may take the bytes before it along. */
const CUT_DELAY_MS = 10;
/** Chunks that wait for a slow reader before a paced stream holds its breath. */
const MOST_QUEUED = 64;
const encoder = new TextEncoder();

export function streamOf(job: Job): ReadableStream<Uint8Array> {
  if (job.fault?.kind === "split") return splitStream(job, job.fault.bytes);
  return job.tokensPerSecond > 0 ? pacedStream(job) : fastStream(job);
}

function* steps({ frames, fault, failure }: Job): Generator<Step, boolean> {
  const isMidway = fault !== null && "after" in fault;
  const faultAt = isMidway ? Math.min(fault.after, frames.count) : -1;
  let text = frames.head;
  for (let index = 0; index <= frames.count; index += 1) {
    if (index === faultAt) {
      const inserted = fault === null ? undefined : INSERTED[fault.kind];
      if (inserted !== undefined) {
        text += inserted;
      } else {
        if (text !== "") yield { text, token: false };
        if (fault?.kind === "cut" || fault?.kind === "stall") yield fault.kind;
        if (failure !== "") yield { text: failure, token: false };
        return false;
      }
    }
    if (index === frames.count) break;
    text += frames.piece(index);
    if (index === frames.count - 1 && faultAt !== frames.count) text += frames.tail;
    yield { text, token: true };
    text = "";
  }
  if (frames.count === 0 || faultAt === frames.count) text += frames.tail;
  if (text !== "") yield { text, token: false };
  return true;
}

/** As fast as the connection takes it: the first frame, then blocks of frames, each made when the last one is gone. */
function fastStream(job: Job): ReadableStream<Uint8Array> {
  const script = steps(job);
  let pending: "cut" | "stall" | null = null;
  let blockChars = 1;

  function fill(controller: ReadableStreamDefaultController<Uint8Array>): void {
    let block = "";
    while (block.length < blockChars) {
      const next = script.next();
      if (next.done === true) {
        if (block !== "") controller.enqueue(encoder.encode(block));
        controller.close();
        job.finish(next.value ? "completed" : "broken");
        return;
      }
      if (typeof next.value === "string") {
        pending = next.value;
        break;
      }
      block += next.value.text;
      if (next.value.token) job.entry.tokens += 1;
    }
    if (block !== "") controller.enqueue(encoder.encode(block));
  }

  return new ReadableStream({
    async pull(controller) {
      // Bun makes one body with a Content-Length of what it gets in one turn; no engine streams so.
      if (blockChars > 1) await new Promise(setImmediate);
      // The client may have left in that turn.
      if (job.entry.outcome !== "running") return;
      if (pending === null) fill(controller);
      if (pending !== null) await halt(job, pending, controller);
      blockChars = BLOCK_CHARS;
    },
    cancel: () => job.finish("cancelled"),
  });
}

/** One token at a time, on the shared ticker; a client that reads slowly gets them later, not queued here. */
function pacedStream(job: Job): ReadableStream<Uint8Array> {
  const script = steps(job);
  const intervalMs = 1_000 / job.tokensPerSecond;
  const startMs = performance.now();
  let sent = 0;
  let forget = (): void => {};

  function advance(controller: ReadableStreamDefaultController<Uint8Array>): void {
    if ((controller.desiredSize ?? 0) < -MOST_QUEUED) {
      forget = job.ticker.at(performance.now() + intervalMs, () => advance(controller));
      return;
    }
    let text = "";
    while (startMs + sent * intervalMs <= performance.now()) {
      const next = script.next();
      if (next.done === true) {
        if (text !== "") controller.enqueue(encoder.encode(text));
        controller.close();
        job.finish(next.value ? "completed" : "broken");
        return;
      }
      if (typeof next.value === "string") {
        if (text !== "") controller.enqueue(encoder.encode(text));
        void halt(job, next.value, controller);
        return;
      }
      text += next.value.text;
      sent += 1;
      if (next.value.token) job.entry.tokens += 1;
    }
    if (text !== "") controller.enqueue(encoder.encode(text));
    forget = job.ticker.at(startMs + sent * intervalMs, () => advance(controller));
  }

  return new ReadableStream({
    start: advance,
    cancel() {
      forget();
      job.finish("cancelled");
    },
  });
}

/** Every `bytes` bytes in a write of their own, regardless of frames and characters. */
function splitStream(job: Job, bytes: number): ReadableStream<Uint8Array> {
  const script = steps(job);
  let rest = new Uint8Array(0);
  return new ReadableStream({
    async pull(controller) {
      if (rest.length === 0) {
        const next = script.next();
        if (next.done === true) {
          controller.close();
          job.finish("completed");
          return;
        }
        if (typeof next.value === "string") return;
        rest = encoder.encode(next.value.text);
        if (next.value.token) job.entry.tokens += 1;
      }
      controller.enqueue(rest.subarray(0, bytes));
      rest = rest.subarray(bytes);
      await new Promise<void>((resolve) => job.ticker.at(performance.now() + 1, resolve));
    },
    cancel: () => job.finish("cancelled"),
  });
}

function halt(
  job: Job,
  how: "cut" | "stall",
  controller: ReadableStreamDefaultController<Uint8Array>,
): Promise<void> {
  return new Promise((resolve) => {
    // A stall ends when the client leaves: `cancel` is called, this promise is never settled.
    if (how === "stall") return;
    job.ticker.at(performance.now() + CUT_DELAY_MS, () => {
      controller.error(null);
      job.finish("broken");
      resolve();
    });
  });
}
