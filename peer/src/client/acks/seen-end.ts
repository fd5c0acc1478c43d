import type { EngineKind } from "#protocol/model-offer";
import type { ReceiptOutcome } from "#protocol/receipt";
import { type AnswerMeter, type Metered, meterWhole } from "../../metering/answer-meter";
import type { SeenEnd } from "./ack-book";

/** What a node said before its body. */
export type SaidFirst = {
  readonly status: number;
  /** The code of the node's own refusal. */
  readonly refusal: string | undefined;
};

/** `whole`: the last byte came. `broken`: the connection ended first. `left`: the app did. */
export type BodyEnd = "whole" | "broken" | "left";

/** What the client saw of an answer whose body it read. */
export function seenEnd(
  how: BodyEnd,
  said: SaidFirst,
  engine: EngineKind,
  meter: AnswerMeter,
): SeenEnd {
  const responseHash = meter.bytes > 0 ? meter.hash() : undefined;
  return seenAs(outcomeOf(how, said, engine, meter), { usage: meter.usage(), responseHash });
}

/** The same of an answer that has come whole, and is no stream. */
export function wholeEnd(said: SaidFirst, body: Buffer): SeenEnd {
  return seenAs(saidOutcome(said), meterWhole(body));
}

function seenAs(outcome: ReceiptOutcome, { usage, responseHash }: Metered): SeenEnd {
  const { promptTokens, completionTokens } = usage;
  const seen: SeenEnd = { outcome };
  if (promptTokens !== undefined) seen.prompt_tokens = promptTokens;
  if (completionTokens !== undefined) seen.completion_tokens = completionTokens;
  if (responseHash !== undefined) seen.response_hash = responseHash;
  return seen;
}

/** Of an answer that the app was not given, because another was better or because it left. */
export function unreadEnd(said: SaidFirst): SeenEnd {
  const outcome = saidOutcome(said);
  return { outcome: outcome === "completed" ? "cancelled" : outcome };
}

function outcomeOf(
  how: BodyEnd,
  said: SaidFirst,
  engine: EngineKind,
  meter: AnswerMeter,
): ReceiptOutcome {
  if (how === "left") return "cancelled";
  const end = meter.end(engine);
  if (end === "told") return meter.tells("budget_exhausted") ? "budget_exhausted" : "engine_error";
  return how === "whole" && end === "complete" ? saidOutcome(said) : "engine_error";
}

/** As the node's receipt judges it. */
function saidOutcome({ status, refusal }: SaidFirst): ReceiptOutcome {
  if (refusal === "budget_exhausted") return "budget_exhausted";
  if (refusal !== undefined || status >= 500 || status === 429) return "engine_error";
  return "completed";
}
