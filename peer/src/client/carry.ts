import type { IncomingMessage } from "node:http";
import { createHash } from "node:crypto";
import type { Candidate } from "#protocol/authorize";
import type { Identity } from "#protocol/identity";
import { REFUSAL_HEADER } from "../worker/refusals";
import { appError } from "./app-error";
import type { Lease } from "./lease";
import type { Leases } from "./leases";
import { callNode, dialledUrl, type NodeCall } from "./node-call";
import type { NodeOrder } from "./node-order";
import { answerToApp } from "./answer-to-app";
import { nodeHeaders } from "./node-headers";
import { coordinatorError } from "./coordinator-error";

/** Nodes that one request tries, and how long it looks for one, before the app is told. */
const MOST_ATTEMPTS = 3;
const LOOK_FOR_MS = 30_000;

export type CarryDeps = {
  readonly identity: Identity;
  readonly leases: Leases;
  readonly order: NodeOrder;
  readonly allowedRanges: () => readonly string[];
  readonly nowMs: () => number;
};

export type AppRequest = {
  readonly model: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
  /** The app has gone. */
  readonly signal: AbortSignal;
  readonly requestId: string;
};

type Answered = {
  readonly message: IncomingMessage;
  readonly call: NodeCall;
  readonly node: Candidate;
  readonly end: () => void;
};

/** Carries one request to a node and back; before the first byte of an answer it may try another node. */
export async function carry(deps: CarryDeps, request: AppRequest): Promise<Response> {
  const untilMs = deps.nowMs() + LOOK_FOR_MS;
  const bodyHash = createHash("sha256").update(request.body).digest("base64url");
  const tried: string[] = [];
  let held: Answered | undefined;
  let attempts = 0;
  let hasLeaseAgain = false;
  let lease: Lease;
  try {
    lease = await deps.leases.get(request.model);
    while (attempts < MOST_ATTEMPTS && deps.nowMs() < untilMs && !request.signal.aborted) {
      const node = deps.order.ranked(lease.candidates).find((one) => !tried.includes(one.node_id));
      if (node === undefined) {
        // A lease without an untried node: ask for others, unless it was new to begin with.
        const other = await deps.leases.replace(request.model, tried);
        if (other.candidates.every((one) => tried.includes(one.node_id))) break;
        lease = other;
        continue;
      }
      tried.push(node.node_id);
      attempts += 1;
      const answered = await attempt(deps, request, lease, node, bodyHash);
      if (answered === undefined) continue;
      if (!mayTryAnother(answered.message)) {
        discard(held);
        return answerToApp(answered, request, attempts);
      }
      discard(held);
      held = answered;
      if (!hasLeaseAgain && isAboutTheLease(answered.message)) {
        // Spent, ended or signed with a key that is gone: the same nodes may take a new one.
        hasLeaseAgain = true;
        tried.length = 0;
        lease = await deps.leases.replace(request.model, []);
        continue;
      }
      deps.order.failed(node.node_id);
    }
  } catch (error) {
    // With an answer in hand, that some node gave, the app gets it rather than the coordinator's trouble.
    if (held === undefined) return coordinatorError(error, tried.length);
  }
  if (held !== undefined) return answerToApp(held, request, attempts);
  return appError(503, "node_unreachable", unreachable(request.model, attempts), {
    headers: { "retry-after": "2" },
  });
}

async function attempt(
  { allowedRanges, identity, nowMs, order }: CarryDeps,
  request: AppRequest,
  lease: Lease,
  node: Candidate,
  bodyHash: string,
): Promise<Answered | undefined> {
  const url = dialledUrl(node, allowedRanges());
  if (url === undefined) return undefined;
  const startedMs = nowMs();
  const end = lease.begin(node.own ? 0 : node.rate);
  const call = await callNode(
    identity,
    node,
    url,
    {
      target: request.target,
      headers: nodeHeaders(request.headers, request.body.length),
      body: request.body,
      bodyHash,
      ticket: lease.ticket(),
      seq: lease.nextSeq(),
    },
    startedMs,
  );
  const cut = () => call.cut();
  request.signal.addEventListener("abort", cut, { once: true });
  const message = await call.answer;
  if (message === undefined) {
    request.signal.removeEventListener("abort", cut);
    end();
    if (!request.signal.aborted) order.failed(node.node_id);
    return undefined;
  }
  if (message.headers[REFUSAL_HEADER] === undefined)
    order.answered(node.node_id, nowMs() - startedMs);
  const ended = () => {
    request.signal.removeEventListener("abort", cut);
    end();
  };
  return { message, call, node, end: ended };
}

/** Whether another node may do better: this one refused by itself, or its engine is overloaded or broken. */
function mayTryAnother({ statusCode = 0, headers }: IncomingMessage): boolean {
  const code = headers[REFUSAL_HEADER];
  if (code === undefined) return statusCode === 429 || statusCode >= 500;
  // Another node would say the same of the request itself.
  return !["invalid_request", "model_required", "request_too_large", "not_found"].includes(
    String(code),
  );
}

function isAboutTheLease({ headers }: IncomingMessage): boolean {
  return ["ticket_invalid", "budget_exhausted"].includes(String(headers[REFUSAL_HEADER]));
}

function discard(answered: Answered | undefined): void {
  answered?.call.cut();
  answered?.end();
}

function unreachable(model: string, attempts: number): string {
  return `${attempts === 0 ? "No node" : `None of ${attempts} nodes tried`} could be reached for ${model}. Try again in a moment.`;
}
