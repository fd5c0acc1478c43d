import { BUSY_HEADER, BusyReason, QUEUE_POSITION_HEADER, QUEUE_WAIT_HEADER } from "#protocol/busy";
import { openAiError, type OpenAiErrorCode } from "#protocol/openai-error";
import { REFUSAL_HEADER } from "../../http/refusal-header";
import type { Ahead } from "../line/waiting-line";

type Row = readonly [status: number, code: OpenAiErrorCode, message: string, param?: string];

/** Why a node does not carry a request, with what to do about it. */
const REFUSALS = {
  not_found: [404, "not_found", "There is nothing here; a node takes POST /v1/…, sealed."],
  method_not_allowed: [405, "method_not_allowed", "A node takes only POST under /v1."],
  ticket_missing: [401, "ticket_missing", "The request carries no ticket (header troop-ticket)."],
  ticket_malformed: [401, "ticket_invalid", "The ticket is not one that a coordinator signs."],
  ticket_forged: [401, "ticket_invalid", "The ticket's signature does not fit."],
  ticket_unknown_key: [
    401,
    "ticket_invalid",
    "The ticket is signed with a key that this node's coordinator does not publish.",
  ],
  ticket_expired: [401, "ticket_invalid", "The ticket has ended; ask the coordinator for another."],
  ticket_not_yet_valid: [
    401,
    "ticket_invalid",
    "The ticket is not valid yet: one of the clocks is off.",
  ],
  ticket_other_node: [401, "ticket_invalid", "The ticket is for other nodes."],
  ticket_other_network: [401, "ticket_invalid", "The ticket is for a network that this node left."],
  ticket_other_coordinator: [401, "ticket_invalid", "The ticket is another coordinator's."],
  proof_missing: [401, "proof_invalid", "The request carries no proof (header troop-proof)."],
  proof_malformed: [401, "proof_invalid", "The proof is not one that a peer signs."],
  proof_forged: [401, "proof_invalid", "The proof's signature does not fit."],
  proof_expired: [401, "proof_invalid", "The proof is too old: the client's clock may be behind."],
  proof_clock_ahead: [
    401,
    "proof_invalid",
    "The proof is from the future: the client's clock is ahead.",
  ],
  proof_other_request: [401, "proof_invalid", "The proof is for another request."],
  proof_other_body: [401, "proof_invalid", "The proof is for another body."],
  session_missing: [401, "proof_invalid", "The request names no session (header troop-session)."],
  session_malformed: [401, "proof_invalid", "The session is not one that a client can begin."],
  session_forged: [401, "proof_invalid", "The request is not of the session that it names."],
  session_unknown: [401, "session_unknown", "The session is not known; send a proof once more."],
  proof_other_peer: [401, "proof_invalid", "The ticket is another peer's."],
  proof_replayed: [401, "proof_invalid", "The proof, or its number in the lease, was used before."],
  model_required: [
    400,
    "model_required",
    "The body is no JSON or form that names a model.",
    "model",
  ],
  model_mismatch: [
    400,
    "invalid_request",
    "The body names another model than the ticket.",
    "model",
  ],
  model_gone: [404, "model_not_found", "This node no longer offers the model.", "model"],
  budget_exhausted: [402, "budget_exhausted", "The lease has nothing left to spend; extend it."],
  body_too_large: [
    413,
    "request_too_large",
    "The body is larger than this node takes; send less at once.",
  ],
  body_other_length: [400, "invalid_request", "The body has another length than was said."],
  body_other_hash: [400, "invalid_request", "The body has another hash than was said."],
  body_forged: [400, "invalid_request", "The body is not what its session sealed."],
  body_broken: [400, "invalid_request", "The body did not arrive whole; send it again."],
  body_too_slow: [408, "invalid_request", "The body arrived too slowly; send the request again."],
  busy: [503, "node_busy", "This node serves as many requests as it can; try another."],
  user_active: [503, "node_busy", "Somebody uses this node's machine; try another."],
  model_loading: [503, "node_busy", "This node's engine loads the model; try again in a moment."],
  draining: [503, "node_busy", "This node is stopping; try another."],
  not_enrolled: [
    503,
    "coordinator_unreachable",
    "This node has not reached its coordinator yet, so it cannot check tickets; try another.",
  ],
  engine_unreachable: [
    502,
    "engine_unreachable",
    "This node's engine does not answer; try another, or again in a moment.",
  ],
  engine_broke: [
    502,
    "engine_error",
    "This node's engine broke off before it answered; send the request again.",
  ],
  engine_silent: [504, "engine_error", "This node's engine is gone; send the request again."],
  internal: [500, "internal", "Something failed on this node; try another."],
} as const satisfies Record<string, Row>;

export type RefusalReason = keyof typeof REFUSALS;
export type NodeRefusal = {
  readonly reason: RefusalReason;
  /** With `busy`: where a request would have to wait. */
  readonly ahead?: Ahead;
};

/** Seconds after which another try may do better. */
const RETRY_AFTER_S: Readonly<Record<BusyReason | "not_enrolled", number>> = {
  busy: 1,
  user_active: 60,
  model_loading: 5,
  draining: 10,
  not_enrolled: 1,
};
const LONGEST_RETRY_S = 60;

/** For what is wrong on the way to the node. Nobody can read it in a wrong session, and the number stays unused. */
const IN_THE_OPEN: ReadonlySet<RefusalReason> = new Set<RefusalReason>([
  "body_broken",
  "body_too_slow",
  "body_forged",
]);

/** Whether a refusal of a request whose session stands is not sealed. */
export function isInTheOpen(reason: RefusalReason): boolean {
  return IN_THE_OPEN.has(reason);
}

type RefusalAnswer = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
};

/** The answer for a refusal: OpenAI's shape, whichever API was asked. */
export function refusalAnswer(reason: RefusalReason, ahead?: Ahead): RefusalAnswer {
  const [status, code, message, param]: Row = REFUSALS[reason];
  const headers = new Headers({
    "content-type": "application/json;charset=utf-8",
    [REFUSAL_HEADER]: code,
    ...(isLater(reason) && { "retry-after": String(retryAfterS(reason, ahead)) }),
    ...(isBusy(reason) && { [BUSY_HEADER]: reason }),
    ...(ahead !== undefined && {
      [QUEUE_POSITION_HEADER]: String(ahead.position),
      [QUEUE_WAIT_HEADER]: String(ahead.waitMs),
    }),
    // What is still to come of the body is not waited for.
    ...(status === 408 && { connection: "close" }),
    ...(status === 405 && { allow: "POST" }),
  });
  return {
    status,
    headers,
    body: JSON.stringify(openAiError(status, code, message, param ?? null)),
  };
}

function isBusy(reason: RefusalReason): reason is BusyReason {
  return BusyReason.safeParse(reason).success;
}

function isLater(reason: RefusalReason): reason is keyof typeof RETRY_AFTER_S {
  return Object.hasOwn(RETRY_AFTER_S, reason);
}

function retryAfterS(reason: keyof typeof RETRY_AFTER_S, ahead: Ahead | undefined): number {
  const waitS = Math.ceil((ahead?.waitMs ?? 0) / 1_000);
  return Math.min(LONGEST_RETRY_S, Math.max(RETRY_AFTER_S[reason], waitS));
}

/** A refusal in the open, where there is no session to seal it with. */
export function refusal(reason: RefusalReason, ahead?: Ahead): Response {
  const { body, ...init } = refusalAnswer(reason, ahead);
  return new Response(body, init);
}
