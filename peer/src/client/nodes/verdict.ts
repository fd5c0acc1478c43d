import type { Answered } from "../call/attempt";
import type { NodeOrder } from "./node-order";

/** What the answer of a node means for the request. */
export type Verdict =
  /** It is the app's. */
  | "final"
  /** The engine behind it failed: perhaps at this request, perhaps not. */
  | "engine"
  /** This node can't now; another can. */
  | "busy"
  | "failed"
  /** The lease is spent, ended, or signed with a key that is gone. */
  | "lease"
  /** It has the model no more. */
  | "gone";

/** Where no node does better, the app is told what is worth most to it. */
export const WORTH: Readonly<Record<Verdict, number>> = {
  final: 5,
  engine: 4,
  busy: 3,
  failed: 2,
  lease: 1,
  gone: 0,
};

/** Where a busy node does not say for how long. */
const BUSY_FOR_MS = 1_000;

/** Refusals that another node would repeat: they are about the request. */
const ABOUT_THE_REQUEST: ReadonlySet<string> = new Set([
  "invalid_request",
  "model_required",
  "request_too_large",
  "not_found",
  "method_not_allowed",
]);

/** Behind comments and empty lines. */
const ERROR_FIRST =
  /^(?::[^\n]*\n|\r?\n)*(?:event: ?(?:error|response\.failed)\s|data: ?\{"error": ?[{"])/;
const FIRST_EVENT_BYTES = 512;

export function verdictOn({ answer, refusal }: Answered): Verdict {
  if (refusal === undefined) {
    const { status } = answer;
    // 401: the engine wants a key that its node does not have. The app's never got there.
    const isFailure = status === 401 || status === 429 || status >= 500;
    return isFailure || beginsWithError(answer) ? "engine" : "final";
  }
  if (refusal === "node_busy") return "busy";
  if (refusal === "model_not_found") return "gone";
  if (refusal === "ticket_invalid" || refusal === "budget_exhausted") return "lease";
  return ABOUT_THE_REQUEST.has(refusal) ? "final" : "failed";
}

/** A stream that told of an error before anything else has not begun, whatever its status. */
function beginsWithError(answer: Answered["answer"]): boolean {
  if (answer.header("content-type")?.startsWith("text/event-stream") !== true) return false;
  const first = answer.peek()?.toString("latin1", 0, FIRST_EVENT_BYTES);
  return first !== undefined && ERROR_FIRST.test(first);
}

/** Remembers of a node what its answer says of it; one that takes a lease for spent may well be right. */
export function learn(
  order: NodeOrder,
  nodeId: string,
  verdict: Verdict,
  answered: Answered | undefined,
): void {
  const { status } = answered?.answer ?? {};
  if (verdict === "failed" || answered?.refusal === "ticket_invalid") order.failed(nodeId);
  else if (verdict === "busy" || status === 429) order.busy(nodeId, retryAfterMs(answered));
  else if (verdict === "engine") order.engineFailed(nodeId);
  else order.answered(nodeId);
}

function retryAfterMs(answered: Answered | undefined): number {
  const seconds = Number(answered?.answer.header("retry-after"));
  return seconds > 0 ? seconds * 1_000 : BUSY_FOR_MS;
}
