import { createAckBook } from "#peer/client/acks/ack-book";
import type { AckClaims } from "#protocol/ack";
import { answerToApp } from "#peer/client/answer/answer-to-app";
import { type Answered, type AppRequest, attempt } from "#peer/client/call/attempt";
import { type Lease, openLease } from "#peer/client/leases/lease";
import { createNodeOrder } from "#peer/client/nodes/node-order";
import { createSilenceWatch } from "#peer/client/nodes/silence";
import { createTicks } from "#peer/client/ticks";
import { systemClock } from "#peer/clock";
import type { Authorization, Candidate } from "#protocol/authorize";
import { generatePrivateKey, openIdentity } from "#protocol/identity";
import { hashBody } from "#protocol/proof";
import { ticketClaims } from "../../worker/fake-network";
import { CHAT, chatBody, clientNetwork, MODEL } from "../client-under-test";
import type { Behaviour } from "../fake-node";

/** One node, a lease for it, and an app that may leave. */
export async function underTest(answer?: Behaviour) {
  const network = await clientNetwork();
  const node = await network.addNode(answer);
  const identity = await openIdentity(await generatePrivateKey());
  const claims = ticketClaims(node.id, identity.peerId);
  const candidate: Candidate = {
    node_id: node.id,
    urls: [node.url],
    e2e_key: node.e2eKey,
    engine: "vllm",
    rate: 1_000_000,
    own: false,
    expected_ms: 0,
  };
  const granted: Authorization = {
    ticket: await network.key.sign(claims),
    lease_id: claims.jti,
    network: "public",
    model: MODEL,
    budget: claims.budget,
    expires_at: claims.exp,
    candidates: [candidate],
  };
  const lease: Lease = openLease(MODEL, granted, Date.now);
  const app = new AbortController();
  const body = Buffer.from(chatBody());
  const request: AppRequest = {
    model: MODEL,
    target: CHAT,
    headers: new Headers({ "content-type": "application/json" }),
    body,
    bodyHash: await hashBody(body),
    signal: app.signal,
    requestId: "r",
    startedAtMs: performance.now(),
    conversation: undefined,
  };
  const acked: AckClaims[] = [];
  const acks = createAckBook({ clock: systemClock, keep: (_, ack) => acked.push(ack) });
  const deps = {
    identity,
    allowedRanges: () => ["127.0.0.0/8"],
    nowMs: Date.now,
    acks,
    order: createNodeOrder(Date.now),
    silence: createSilenceWatch(() => Promise.resolve({ state: "away" })),
  };
  return {
    node,
    lease,
    granted,
    app,
    acked,
    try: () => attempt(deps, request, { lease, node: candidate }),
    deps,
    request,
  };
}

/** The answer as an app would read it. */
export function shown(
  answered: Answered | undefined,
  signal: AbortSignal = new AbortController().signal,
): Response {
  if (answered === undefined) throw new Error("No answer came.");
  const deps = { ticks: createTicks(), acks: createAckBook({ clock: systemClock, keep() {} }) };
  const request = { target: CHAT, requestId: "r", signal, startedAtMs: performance.now() };
  return answerToApp(deps, { answered, attempts: 1 }, request, () => {});
}
