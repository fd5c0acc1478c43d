import { upstreamUrl } from "../../engines/engine-url";
import type { ModelRoute } from "../../engines/catalogue";
import { type HeaderLines, headerValue } from "../../http/answer-head";
import { callHttp, type OutgoingBody } from "../../http/call";
import { requestHeaders } from "../../http/pass-headers";
import { apiOfPath } from "../../metering/api-of-path";
import { admit, type Gate } from "../admission/admit";
import { isError, readableError } from "./engine-error";
import type { SilenceWatch } from "./engine-silence";
import type { Job, Jobs } from "../line/jobs";
import { isInTheOpen, refusal, refusalAnswer, type RefusalReason } from "../admission/refusals";
import { relay } from "./relay";
import { checkBody } from "./request-body";
import { type AnswerSealer, createAnswerSealer } from "./sealed-answer";
import { BodyRefused, openRequest } from "./sealed-request";

export type ServeContext = {
  readonly gate: Gate;
  readonly jobs: Jobs;
  /** A request showed that an engine is not what it was. */
  readonly onEngineFailure: () => void;
  /** The receipt of a request cannot be kept, so none is served. */
  readonly onOutboxFailure: () => void;
};

/** Silence that a client may keep while it sends its body, and none while it waits for the answer. */
export type BodyTimer = { limit(request: Request): void; lift(request: Request): void };

/** One sealed request, from its headers to the last byte of its answer. */
export async function serveRequest(
  context: ServeContext,
  request: Request,
  timer: BodyTimer,
): Promise<Response> {
  const admitted = await admit(context.gate, request);
  if (!admitted.ok) return refusal(admitted.reason, admitted.ahead);
  const { session, seq, claims, route } = admitted.value;
  const sealer = createAnswerSealer(admitted.value);
  const giveBack = (reason: RefusalReason): Response => {
    admitted.value.release();
    admitted.value.lease.unclaim(seq);
    return refuse(sealer, reason);
  };

  timer.limit(request);
  const opened = await openRequest(request, session, seq, context.gate.clock);
  if (!opened.ok) return giveBack(opened.reason);
  const { head, leave } = opened.value;
  const { target, length, hash } = head;
  const headers = trimmed(head.headers);
  const url = upstreamUrl(route.engine.target, target);
  const expected = { model: claims.model, length, hash };
  const named = { get: (name: string) => headerValue(headers, name) ?? null };
  const body = checkBody(opened.value.body, named, expected, () => timer.lift(request));
  if (url === null || !body.ok || request.signal.aborted) {
    leave();
    if (url === null) return giveBack("not_found");
    return giveBack(body.ok ? "body_broken" : body.reason);
  }

  let job: Job;
  try {
    job = context.jobs.begin(admitted.value, hash);
  } catch {
    context.onOutboxFailure();
    leave();
    return giveBack("internal");
  }
  try {
    const { engine } = route;
    const carried = { job, sealer, engine, url, target, headers, body: body.value, leave };
    return await carry(context, request, carried);
  } catch {
    // For instance a header that is none: whatever the engine said, it was no answer.
    job.end({ outcome: "engine_error" });
    leave();
    // In the open, since something may have been sealed.
    return refusal("engine_broke");
  }
}

/** Space around a value is none of it (RFC 9110, 5.5), whatever was sealed. */
function trimmed(lines: HeaderLines): HeaderLines {
  return lines.map(([name, value]) => [name, value.trim()] as const);
}

/** A refusal after the session stands: sealed, so that nobody else can put one in front of an app. */
function refuse(sealer: AnswerSealer, reason: RefusalReason): Response {
  if (isInTheOpen(reason)) return refusal(reason);
  const { status, headers, body } = refusalAnswer(reason);
  return sealer.whole(status, [...headers], Buffer.from(body));
}

type Carried = {
  readonly job: Job;
  readonly sealer: AnswerSealer;
  readonly engine: ModelRoute["engine"];
  readonly url: string;
  /** Path and query, headers and body as the app has them. */
  readonly target: string;
  readonly headers: HeaderLines;
  readonly body: OutgoingBody;
  /** Nobody will read the rest of the body. */
  readonly leave: () => void;
};

async function carry(context: ServeContext, request: Request, carried: Carried): Promise<Response> {
  const { job, sealer, engine, body, target } = carried;
  const length = body.kind === "whole" ? body.bytes.length : body.length;
  const call = callHttp({
    url: carried.url,
    headers: requestHeaders(carried.headers, engine.target.apiKey, { length }),
    body: whileWatched(body, job.silence),
  });
  job.onCut(call.cut);
  request.signal.addEventListener("abort", () => job.cut("client_left"), { once: true });

  const answer = await call.answer;
  if (answer.ok) {
    job.silence.heard();
    const said = isError(answer.value)
      ? await readableError(answer.value, apiOfPath(target))
      : answer.value;
    const { onEngineFailure } = context;
    if (said !== undefined) {
      return relay(said, { job, sealer, engine: engine.kind, target, onEngineFailure });
    }
  }
  carried.leave();
  if (!answer.ok && answer.reason === "body") {
    // It never became a request: the engine was left before its last bytes.
    job.forget();
    const { error } = answer;
    return refuse(sealer, error instanceof BodyRefused ? error.refusal.reason : "internal");
  }
  switch (job.cutBy) {
    case "client_left":
      job.end({ outcome: "cancelled" });
      return refuse(sealer, "body_broken"); // Nobody reads it.
    case "budget_exhausted":
      job.end({ outcome: "budget_exhausted" });
      return refuse(sealer, "budget_exhausted");
    case "stopping":
    case "user_active":
      job.end({ outcome: "engine_error" });
      return refuse(sealer, job.cutBy === "stopping" ? "draining" : "user_active");
    case "engine_silent":
      context.onEngineFailure();
      job.end({ outcome: "engine_error" });
      return refuse(sealer, "engine_silent");
    default:
  }
  context.onEngineFailure();
  if (!answer.ok && answer.reason === "unreachable") {
    job.forget();
    return refuse(sealer, "engine_unreachable");
  }
  job.end({ outcome: "engine_error" });
  return refuse(sealer, "engine_broke");
}

/** An engine is not silent as long as it waits for the client's bytes. */
function whileWatched(body: OutgoingBody, silence: SilenceWatch): OutgoingBody {
  if (body.kind === "whole") return body;
  const { chunks } = body;
  async function* turns(): AsyncGenerator<Uint8Array, void, undefined> {
    silence.pause();
    for await (const chunk of chunks) {
      silence.heard();
      yield chunk;
      silence.pause();
    }
    silence.heard();
  }
  return { ...body, chunks: turns() };
}
