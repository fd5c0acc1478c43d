import { BUSY_HEADER, BusyReason, QUEUE_WAIT_HEADER } from "#protocol/busy";
import { openAiError, type OpenAiErrorCode } from "#protocol/openai-error";
import { type Answer, createAnswer } from "../../http/answer";
import { REFUSAL_HEADER } from "../../http/refusal-header";

/**
 * What a node may say without sealing it, since there is no session to seal it in. Anybody on the way could have said
 * it: it counts for where the request goes next, and the app is told in this client's words alone.
 */
const IN_THE_OPEN = {
  ticket_missing: [401, "The node took this client's ticket for none."],
  ticket_invalid: [401, "The node did not take this client's ticket."],
  proof_invalid: [401, "The node did not take this client's proof."],
  session_unknown: [401, "The node does not know this client's session."],
  budget_exhausted: [
    402,
    "The lease has nothing left to spend. Try again in a moment; `troop balance` shows what is left.",
  ],
  model_not_found: [404, "The node no longer offers the model."],
  engine_error: [502, "The node's engine broke off before it answered. Send the request again."],
  internal: [500, "Something failed on the node. Send the request again."],
  coordinator_unreachable: [503, "The node has not reached its coordinator yet. Try again."],
  node_busy: [503, "The node serves as many requests as it can. Try again in a moment."],
} as const satisfies Partial<Record<OpenAiErrorCode, readonly [status: number, message: string]>>;

const BUSY: Readonly<Record<BusyReason, string>> = {
  busy: IN_THE_OPEN.node_busy[1],
  user_active: "Somebody uses the node's machine. Try again in a minute.",
  model_loading: "The node's engine loads the model. Try again in a moment.",
  draining: "The node is being stopped. Try again in a moment.",
};

const SECONDS = /^\d{1,3}$/;
const MILLISECONDS = /^\d{1,9}$/;

type Code = keyof typeof IN_THE_OPEN;

export function isOpenRefusal(code: string): code is Code {
  return Object.hasOwn(IN_THE_OPEN, code);
}

/** The refusal as an answer of this client's making. */
export function openRefusal(code: Code, outer: Pick<Answer, "header">): Answer {
  const [status, usual] = IN_THE_OPEN[code];
  const busy = BusyReason.safeParse(outer.header(BUSY_HEADER));
  const message = code === "node_busy" && busy.success ? BUSY[busy.data] : usual;
  const body = Buffer.from(JSON.stringify(openAiError(status, code, message)));
  const retryAfter = outer.header("retry-after") ?? "";
  const headers: [string, string][] = [
    ["content-type", "application/json"],
    ["content-length", String(body.length)],
    [REFUSAL_HEADER, code],
  ];
  if (SECONDS.test(retryAfter)) headers.push(["retry-after", retryAfter]);
  const waitMs = outer.header(QUEUE_WAIT_HEADER) ?? "";
  if (MILLISECONDS.test(waitMs)) headers.push([QUEUE_WAIT_HEADER, waitMs]);
  const incoming = createAnswer({ status, headers, keepsAlive: false }, NO_CONNECTION);
  incoming.onBody(body);
  incoming.onOver(true);
  return incoming.answer;
}

const NO_CONNECTION = { pause() {}, resume() {}, close() {} };
