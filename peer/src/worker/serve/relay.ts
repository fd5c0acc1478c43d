import type { EngineKind } from "#protocol/model-offer";
import type { ReceiptOutcome } from "#protocol/receipt";
import type { Answer } from "../../http/answer";
import {
  createAnswerMeter,
  isReadableStream,
  type MeteredAnswer,
  meterWhole,
} from "../../metering/answer-meter";
import { apiOfPath } from "../../metering/api-of-path";
import type { StreamError } from "../../metering/stream-error-frame";
import { answerLines } from "../../http/pass-headers";
import { type BodyWriter, writtenBody } from "../../http/written-body";
import type { Cut, Job } from "../line/jobs";
import type { AnswerSealer } from "./sealed-answer";

export type Relay = {
  readonly job: Job;
  readonly sealer: AnswerSealer;
  readonly engine: EngineKind;
  /** Path and query of the request. */
  readonly target: string;
  /** The engine broke off in the middle. */
  readonly onEngineFailure: () => void;
};

const ERRORS: Readonly<Record<Exclude<Cut, "client_left"> | "engine", StreamError>> = {
  engine: {
    code: "stream_broken",
    message: "The node's engine broke off in the middle of the answer; send the request again.",
  },
  engine_silent: {
    code: "stream_broken",
    message: "The node's engine stopped in the middle of the answer; send the request again.",
  },
  budget_exhausted: {
    code: "budget_exhausted",
    message: "The lease ran out of credits in the middle of the answer; what ran was charged.",
  },
  user_active: {
    code: "stream_broken",
    message: "The node's owner came back and needs the machine; send the request again.",
  },
  stopping: {
    code: "stream_broken",
    message: "The node was stopped in the middle of the answer; send the request again.",
  },
};

/** Answers that have no body by their status. */
const NULL_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** Passes an engine's answer on, whole where it has come so, else piece by piece as it comes, and ends the job with it. */
export function relay(answer: Answer, relayed: Relay): Response {
  const { status } = answer;
  const { job, sealer } = relayed;
  const headers = answerLines(answer.headers);
  if (NULL_BODY.has(status)) {
    job.end({ outcome: usualOutcome(status) });
    return sealer.whole(status, headers, new Uint8Array());
  }
  const whole = isReadableStream(coded(answer)) ? undefined : answer.takeWhole();
  if (whole === undefined) return relayPieces(answer, headers, relayed);
  job.firstByte();
  job.end({ outcome: usualOutcome(status), ...meterWhole(whole) });
  return sealer.whole(status, headers, whole);
}

function usualOutcome(status: number): ReceiptOutcome {
  return status >= 500 || status === 429 ? "engine_error" : "completed";
}

function coded(answer: Answer): Pick<MeteredAnswer, "contentType" | "contentEncoding"> {
  return {
    contentType: answer.header("content-type"),
    contentEncoding: answer.header("content-encoding"),
  };
}

function relayPieces(answer: Answer, headers: [string, string][], relayed: Relay): Response {
  const { status } = answer;
  const { job, sealer, engine, onEngineFailure } = relayed;
  const meter = createAnswerMeter({ api: apiOfPath(relayed.target), ...coded(answer) });
  let isOver = false;
  let isHeld = false;

  function begin(body: BodyWriter): void {
    const pass = (chunk: Buffer): boolean => {
      meter.feed(chunk);
      return body.write(sealed.part(chunk));
    };
    const close = (): void => {
      body.write(sealed.end());
      body.end();
    };
    /** An explicit failure: as an event where the answer is a stream of them, else by breaking the connection. */
    const fail = (outcome: ReceiptOutcome, error: StreamError): void => {
      const frame = meter.errorFrame(error);
      if (frame !== "") pass(Buffer.from(frame));
      end(outcome);
      if (frame === "") body.breakOff();
      else close();
    };
    const finish = (): void => {
      const how = meter.end(engine);
      if (how === "broken") {
        onEngineFailure();
        fail("engine_error", ERRORS.engine);
        return;
      }
      // First the receipt, then the end: who has the whole answer can rely on its being kept.
      end(how === "told" ? "engine_error" : usualOutcome(status));
      close();
    };
    const breakOff = (): void => {
      switch (job.cutBy) {
        case "client_left":
          end("cancelled");
          break;
        case "budget_exhausted":
          fail("budget_exhausted", ERRORS.budget_exhausted);
          break;
        case "stopping":
        case "user_active":
          fail("engine_error", ERRORS[job.cutBy]);
          break;
        case "engine_silent":
          onEngineFailure();
          fail("engine_error", ERRORS.engine_silent);
          break;
        default:
          onEngineFailure();
          fail("engine_error", ERRORS.engine);
      }
    };

    body.write(sealed.head);
    job.onCut(() => {
      answer.cut();
      whenOver(breakOff);
    });
    answer.read({
      onData(chunk) {
        if (isOver) return;
        job.firstByte();
        job.silence.heard();
        if (pass(chunk)) return;
        isHeld = true;
        answer.pause();
        job.silence.pause();
      },
      onEnd: (isWhole) => whenOver(isWhole ? finish : breakOff),
    });
  }

  function goOn(): void {
    if (isHeld) job.silence.heard();
    isHeld = false;
    answer.resume();
  }

  function whenOver(run: () => void): void {
    if (isOver) return;
    isOver = true;
    run();
  }

  function end(outcome: ReceiptOutcome): void {
    job.end({
      outcome,
      usage: meter.usage(),
      responseHash: meter.bytes > 0 ? meter.hash() : undefined,
    });
  }

  const sealed = sealer.begin(status, headers);
  /** Also where it left before a byte was written, and nothing reads along yet. */
  function left(): void {
    job.cut("client_left");
    answer.cut();
    whenOver(() => end("cancelled"));
  }
  return sealed.response(writtenBody({ begin, drained: goOn, left }));
}
