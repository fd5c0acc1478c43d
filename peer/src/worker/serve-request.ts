import { upstreamUrl } from "../engines/engine-url";
import { admit, type Gate } from "./admit";
import { callHttp, type OutgoingBody } from "../http/call";
import { requestHeaders } from "../http/pass-headers";
import type { SilenceWatch } from "./engine-silence";
import type { Admission, Job, Jobs } from "./jobs";
import { refusal } from "./refusals";
import { relay } from "./relay";
import { BodyRefused, readBody } from "./request-body";

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

/** One `POST /v1/…`, from its headers to the last byte of its answer. `target`: path and query. */
export async function serveRequest(
  context: ServeContext,
  request: Request,
  target: string,
  timer: BodyTimer,
): Promise<Response> {
  const admitted = await admit(context.gate, request.headers, target);
  if (!admitted.ok) return refusal(admitted.reason);
  const admission = admitted.value;
  const engine = admission.route.engine;
  const url = upstreamUrl(engine.target, target);
  if (url === null) return giveBack(admission, "not_found");

  timer.limit(request);
  const expected = { model: admission.claims.model, hash: admission.bodyHash };
  const body = await readBody(request, expected, context.gate.clock, () => timer.lift(request));
  if (!body.ok) return giveBack(admission, body.reason);
  if (request.signal.aborted) return giveBack(admission, "body_broken");

  let job: Job;
  try {
    job = context.jobs.begin(admission);
  } catch {
    context.onOutboxFailure();
    return giveBack(admission, "internal");
  }
  try {
    return await carry(context, request, { job, url, target, admission, body: body.value });
  } catch {
    // For instance a status that is none: whatever the engine said, it was no answer.
    job.end({ outcome: "engine_error" });
    return refusal("engine_broke");
  }
}

type Carried = {
  readonly job: Job;
  readonly url: string;
  readonly target: string;
  readonly admission: Admission;
  readonly body: OutgoingBody;
};

async function carry(context: ServeContext, request: Request, carried: Carried): Promise<Response> {
  const { job, body, target } = carried;
  const { engine } = carried.admission.route;
  const length = body.kind === "whole" ? body.bytes.length : body.length;
  const call = callHttp({
    url: carried.url,
    headers: requestHeaders(request.headers, engine.target.apiKey, { length }),
    body: whileWatched(body, job.silence),
  });
  job.onCut(call.cut);
  request.signal.addEventListener("abort", () => job.cut("client_left"), { once: true });

  const answer = await call.answer;
  if (answer.ok) {
    job.silence.heard();
    const { onEngineFailure } = context;
    return relay(answer.value, { job, engine: engine.kind, target, onEngineFailure });
  }
  if (answer.reason === "body") {
    // It never became a request: the engine was left before its last bytes.
    job.forget();
    const { error } = answer;
    return refusal(error instanceof BodyRefused ? error.refusal.reason : "internal");
  }
  switch (job.cutBy) {
    case "client_left":
      job.end({ outcome: "cancelled" });
      return refusal("body_broken"); // Nobody reads it.
    case "budget_exhausted":
      job.end({ outcome: "budget_exhausted" });
      return refusal("budget_exhausted");
    case "stopping":
      job.end({ outcome: "engine_error" });
      return refusal("stopping");
    case "engine_silent":
      context.onEngineFailure();
      job.end({ outcome: "engine_error" });
      return refusal("engine_silent");
    default:
  }
  context.onEngineFailure();
  if (answer.reason === "unreachable") {
    job.forget();
    return refusal("engine_unreachable");
  }
  job.end({ outcome: "engine_error" });
  return refusal("engine_broke");
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

function giveBack(admission: Admission, reason: Parameters<typeof refusal>[0]): Response {
  admission.release();
  admission.lease.unclaim(admission.seq);
  return refusal(reason);
}
