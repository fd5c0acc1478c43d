import { answerToApp } from "./answer-to-app";
import { appError } from "./app-error";
import { type Answered, type AppRequest, attempt, type AttemptDeps } from "./attempt";
import { coordinatorError, isModelUnavailable } from "./coordinator-error";
import type { Lease } from "./lease";
import type { Leases } from "./leases";
import { isAnswer } from "./is-answer";
import type { Models } from "./model-list";
import { unknownModel } from "./models-api";
import type { NodeOrder } from "./node-order";

/** Nodes that one request tries, and how long it looks for one, before the app is told. */
const MOST_ATTEMPTS = 3;
const LOOK_FOR_MS = 30_000;
const BUSY_FOR_MS = 1_000;

export type CarryDeps = AttemptDeps & {
  readonly leases: Leases;
  readonly order: NodeOrder;
  readonly models: Models;
};

/** What the answer of a node means for the request. */
type Verdict =
  /** It is the app's. */
  | "final"
  /** This node can't now; another can. */
  | "busy"
  | "failed"
  /** It has the model no more. */
  | "gone"
  /** The lease is spent, ended, or signed with a key that is gone. */
  | "lease"
  /** The engine behind it failed: perhaps at this request, perhaps not. */
  | "engine";

/** Carries one request to a node and back; before the first byte of an answer it may try another node. */
export async function carry(deps: CarryDeps, request: AppRequest): Promise<Response> {
  const { leases, order, nowMs } = deps;
  const { model, signal } = request;
  const untilMs = nowMs() + LOOK_FOR_MS;
  const tried: string[] = [];
  let attempts = 0;
  let hasAskedForOthers = false;
  let hasAskedAnew = false;
  /** The best that a node said so far, should nothing better come. */
  let held: { readonly answered: Answered; readonly verdict: Verdict } | undefined;
  let lease: Lease;

  try {
    lease = await leases.get(model);
    while (attempts < MOST_ATTEMPTS && nowMs() < untilMs && !signal.aborted) {
      const node = order.ranked(lease.candidates).find((one) => !tried.includes(one.node_id));
      if (node === undefined) {
        // An engine that failed at this request would fail anywhere: no reason to ask for more nodes.
        if (hasAskedForOthers || held?.verdict === "engine") break;
        hasAskedForOthers = true;
        const other = await within(leases.others(lease, tried), untilMs - nowMs());
        if (other === undefined) break;
        lease = other;
        continue;
      }
      tried.push(node.node_id);
      attempts += 1;
      const answered = onlyAnswer(await attempt(deps, request, lease, node));
      if (signal.aborted) {
        drop(answered);
        break;
      }
      const verdict = answered === undefined ? "failed" : verdictOn(answered);
      learn(order, node.node_id, verdict, answered);
      if (answered === undefined) continue;
      drop(held?.answered);
      held = { answered, verdict };
      if (verdict === "final") break;
      if (verdict === "lease" && !hasAskedAnew) {
        // The same nodes may take another ticket.
        hasAskedAnew = true;
        const next = await leases.anew(lease);
        if (next !== lease) tried.length = 0;
        lease = next;
      }
    }
    const failing = lease.candidates.map(idOf).filter((id) => order.isFailing(id));
    if (failing.length * 2 >= lease.candidates.length) leases.avoid(lease, failing);
  } catch (error) {
    // What a node said is of more use to the app than the coordinator's trouble, unless it was about the lease.
    if (held === undefined || held.verdict === "lease") {
      drop(held?.answered);
      if (isModelUnavailable(error)) return unknownModel(deps.models, model);
      return coordinatorError(error);
    }
  }
  if (signal.aborted) {
    drop(held?.answered);
    return new Response(null, { status: 499 }); // Nobody reads it.
  }
  if (held === undefined) return unreachable(model, attempts);
  const { answered, verdict } = held;
  const isNotForTheApp = verdict === "gone" || answered.message.statusCode === 401;
  if (!isNotForTheApp) return answerToApp(answered, request, attempts);
  drop(answered);
  if (verdict === "gone") return unknownModel(deps.models, model);
  // Whichever it was, the app's key was not the reason: it never got there.
  return answered.refusal === undefined
    ? appError(502, "engine_error", LOCKED_ENGINE)
    : appError(502, "coordinator_refused", UNTRUSTED);
}

const UNTRUSTED =
  "No node took this client's ticket. Check that this machine's clock is right, then try again.";
const LOCKED_ENGINE = "The engine refused the key of the node that it runs on. Try again later.";

/** Refusals that another node would repeat: they are about the request. */
const ABOUT_THE_REQUEST: ReadonlySet<string> = new Set([
  "invalid_request",
  "model_required",
  "request_too_large",
  "not_found",
  "method_not_allowed",
]);

function verdictOn({ message, refusal }: Answered): Verdict {
  if (refusal === undefined) {
    const { statusCode = 0 } = message;
    return statusCode === 401 || statusCode === 429 || statusCode >= 500 ? "engine" : "final";
  }
  if (refusal === "node_busy") return "busy";
  if (refusal === "model_not_found") return "gone";
  if (refusal === "ticket_invalid" || refusal === "budget_exhausted") return "lease";
  return ABOUT_THE_REQUEST.has(refusal) ? "final" : "failed";
}

function learn(
  order: NodeOrder,
  nodeId: string,
  verdict: Verdict,
  answered: Answered | undefined,
): void {
  if (verdict === "failed" || verdict === "lease") order.failed(nodeId);
  else if (verdict === "busy") order.busy(nodeId, retryAfterMs(answered));
  else order.answered(nodeId);
}

function retryAfterMs(answered: Answered | undefined): number {
  const seconds = Number(answered?.message.headers["retry-after"]);
  return seconds > 0 ? seconds * 1_000 : BUSY_FOR_MS;
}

/** What is no answer that an app could get counts as none. */
function onlyAnswer(answered: Answered | undefined): Answered | undefined {
  if (answered === undefined || isAnswer(answered.message)) return answered;
  drop(answered);
  return undefined;
}

function drop(answered: Answered | undefined): void {
  answered?.cut();
  answered?.end();
}

function idOf(node: { readonly node_id: string }): string {
  return node.node_id;
}

/** `undefined` after `limitMs`; what comes later still serves the requests to come. */
function within<Value>(work: Promise<Value>, limitMs: number): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(undefined), Math.max(0, limitMs));
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function unreachable(model: string, attempts: number): Response {
  const nodes = attempts === 0 ? "No node" : `None of ${attempts} nodes tried`;
  const text = `${nodes} could be reached for ${model}. Try again in a moment.`;
  return appError(503, "node_unreachable", text, { headers: { "retry-after": "2" } });
}
