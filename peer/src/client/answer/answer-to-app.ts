import { formatCredits } from "#protocol/microcredits";
import { addAnswerHeaders } from "../../http/pass-headers";
import { createAnswerMeter, isReadableStream, responseIdOf } from "../../metering/answer-meter";
import { apiOfPath } from "../../metering/api-of-path";
import type { AckBook } from "../acks/ack-book";
import type { AppRequest } from "../call/attempt";
import type { Found } from "../search";
import { relayBody } from "./relay";
import type { SeenEnd } from "../acks/ack-book";
import { type BodyEnd, seenEnd, wholeEnd } from "../acks/seen-end";
import type { Ticks } from "../ticks";
import { createUsageFilter } from "./usage-filter";

export type AnswerDeps = { readonly ticks: Ticks; readonly acks: Pick<AckBook, "steadyMs"> };

/**
 * The node's answer as the app gets it: its status, its headers, every byte but a count of tokens that the app did not ask
 * for. What a stream cost stands in a comment at its end. `over` is called once, when it has ended.
 */
export function answerToApp(
  { ticks, acks }: AnswerDeps,
  { answered, attempts }: Found,
  request: Pick<AppRequest, "target" | "requestId" | "signal" | "startedAtMs">,
  over: () => void,
): Response {
  const { answer, refusal, engine, sentAtMs, firstAtMs } = answered;
  const { status } = answer;
  const overheadMs = acks.steadyMs() - request.startedAtMs - (firstAtMs - sentAtMs);
  function respond(body: BodyInit | null, cost?: string): Response {
    const response = new Response(body, { status });
    // Into its own ones: others would be copied.
    const { headers } = response;
    addAnswerHeaders(headers, answer.headers);
    headers.set("x-troop-node", answered.nodeId);
    headers.set("x-troop-request-id", request.requestId);
    headers.set("x-troop-attempts", String(attempts));
    headers.set("x-troop-overhead-ms", Math.max(0, overheadMs).toFixed(2));
    if (cost !== undefined) headers.set("x-troop-credits", cost);
    return response;
  }
  const said = { status, refusal };
  const metered = {
    api: apiOfPath(request.target),
    contentType: answer.header("content-type"),
    contentEncoding: answer.header("content-encoding"),
  };
  // A refusal is no work.
  const rate = refusal === undefined ? answered.rate : 0;
  /** By this side's clock, so never less than the node may claim. */
  const credits = (): string => {
    const microcredits = ((acks.steadyMs() - sentAtMs) * rate) / 1_000;
    return formatCredits(Math.ceil(microcredits));
  };
  const end = (name: string | undefined, seen: SeenEnd): void => {
    if (name !== undefined) answered.keptAs(name);
    answered.ack.end(seen);
    answered.end();
    over();
  };
  // A stream costs a small answer more than everything else that is done for it here. Events that come in pieces stay
  // in pieces.
  const isStream = isReadableStream(metered);
  const isInPieces = isStream && answer.header("content-length") === undefined;
  const whole = isInPieces ? undefined : answer.takeWhole();
  const cost = whole && credits();
  if (whole !== undefined && !isStream) {
    end(responseIdOf(metered.api, whole), wholeEnd(said, whole));
    return respond(whole.length === 0 ? null : whole, cost);
  }
  const meter = createAnswerMeter(metered);
  const ended = (how: BodyEnd): void => {
    // Where the app went first, that is why the connection broke.
    const why = how === "broken" && request.signal.aborted ? "left" : how;
    if (why === "broken") answered.broke();
    end(meter.responseId(), seenEnd(why, said, engine, meter));
  };
  const filter = answered.hidesUsage && isStream ? createUsageFilter() : undefined;
  if (whole !== undefined) {
    meter.feed(whole);
    ended("whole");
    const shown = filter === undefined ? whole : Buffer.concat([filter.pass(whole), filter.rest()]);
    return respond(shown.length === 0 ? null : shown, cost);
  }
  const body = relayBody(answer, {
    ticks,
    engine,
    meter,
    filter,
    heard: answered.heard,
    lastWords: () => `: x-troop-credits: ${credits()}\n\n`,
    ended,
    left: answered.cut,
  });
  return respond(body);
}
