import { answerHeaders } from "../http/pass-headers";
import { createAnswerMeter } from "../metering/answer-meter";
import { apiOfPath } from "../metering/api-of-path";
import type { Answered, AppRequest } from "./attempt";
import { relayBody } from "./relay";
import { type BodyEnd, seenEnd } from "./seen-end";
import type { Ticks } from "./ticks";

/** The node's answer as the app gets it: its status, its headers, every byte. */
export function answerToApp(
  ticks: Ticks,
  { answer, refusal, nodeId, engine, ack, cut, heard, broke, keptAs, end }: Answered,
  request: Pick<AppRequest, "target" | "requestId" | "signal">,
  attempts: number,
): Response {
  const { status } = answer;
  const headers = answerHeaders(answer.headers);
  headers.set("x-troop-node", nodeId);
  headers.set("x-troop-request-id", request.requestId);
  headers.set("x-troop-attempts", String(attempts));
  const meter = createAnswerMeter({
    api: apiOfPath(request.target),
    contentType: answer.header("content-type"),
    contentEncoding: answer.header("content-encoding"),
  });
  const ended = (how: BodyEnd): void => {
    // Where the app went first, that is why the connection broke.
    const why = how === "broken" && request.signal.aborted ? "left" : how;
    if (why === "broken") broke();
    const name = meter.responseId();
    if (name !== undefined) keptAs(name);
    ack.end(seenEnd(why, { status, refusal }, engine, meter));
    end();
  };
  // A stream costs a small answer more than everything else that is done for it here.
  const whole = answer.header("content-length") === undefined ? undefined : answer.takeWhole();
  if (whole !== undefined) {
    meter.feed(whole);
    ended("whole");
    return new Response(whole.length === 0 ? null : whole, { status, headers });
  }
  const relay = { ticks, engine, meter, heard, ended, left: cut };
  return new Response(relayBody(answer, relay), { status, headers });
}
