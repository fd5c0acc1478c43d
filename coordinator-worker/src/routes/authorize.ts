import { createRoute } from "@hono/zod-openapi";
import { Authorization, AuthorizeRequest, DEFAULT_BUDGET_MICROCREDITS } from "#protocol/authorize";
import { formatCredits } from "#protocol/microcredits";
import { PUBLIC_NETWORK } from "#protocol/names";
import { TICKET_LIFETIME_S } from "#protocol/ticket";
import type { App, AppContext } from "../app-env";
import { authenticate, type Proven, refuseProof } from "../authenticate";
import { chooseCandidates, isAlive } from "../domain/choose-candidates";
import { leaseIdOf } from "../domain/lease-id";
import { TIERS } from "../domain/rate-tiers";
import { inBackground } from "../in-background";
import { issueTicket } from "../issue-ticket";
import { hitWindow, refuseRate } from "../limit-rate";
import { problem, problemResponses } from "../problem";
import { holdCredits, voidLease } from "../store/ledger";
import { dropOffers, sampleOffers } from "../store/live-nodes";

const route = createRoute({
  operationId: "authorizeRequests",
  method: "post",
  path: "/authorize",
  request: {
    body: { required: true, content: { "application/json": { schema: AuthorizeRequest } } },
  },
  responses: {
    200: {
      description: "A ticket for up to three nodes",
      content: { "application/json": { schema: Authorization } },
    },
    ...problemResponses(
      "request_invalid",
      "proof_missing",
      "proof_invalid",
      "proof_replayed",
      "clock_skew",
      "credits_exhausted",
      "not_registered",
      "not_found",
      "model_unavailable",
      "rate_limited",
    ),
  },
});

export function authorize(app: App): void {
  app.openapi(route, async (c) => {
    const proven = await authenticate(c);
    if (!proven.ok) return refuseProof(c, proven);
    const asked = c.req.valid("json");
    if ((asked.network ?? PUBLIC_NETWORK) !== PUBLIC_NETWORK) return problem(c, "not_found");

    const found = await askStores(c, proven.value, asked);
    // From here on a refusal has a hold to give back; it is given back off the path.
    const refuse = <Answer>(answer: Answer): Answer => {
      if (found.held.outcome === "held")
        inBackground(c, voidLease(c.get("deps").db, found.leaseId));
      return answer;
    };
    if (found.admission?.admitted === false) {
      return refuse(refuseRate(c, TIERS.authorize, found.admission));
    }
    if (found.replayed) return refuse(problem(c, "proof_replayed"));
    switch (found.held.outcome) {
      case "replayed":
        return problem(c, "proof_replayed");
      case "not_registered":
        return problem(c, "not_registered", { detail: "Register first: POST /register." });
      case "credits_exhausted":
        return problem(c, "credits_exhausted", {
          balance_microcredits: found.held.available,
          detail: `The balance is ${formatCredits(found.held.available)} credits. Running "troop worker" earns more.`,
        });
      case "held":
    }

    const { nowMs } = c.get("deps");
    const chosen = chooseCandidates(found.offers, asked.exclude ?? [], nowMs(), Math.random);
    if (chosen.length === 0) {
      return refuse(
        problem(c, "model_unavailable", {
          detail: "GET /v1/models lists the models that are there.",
        }),
      );
    }
    const owner = new Map(found.offers.map((offer) => [offer.node_id, offer.user_id]));
    const candidates = chosen.map((candidate) => ({
      ...candidate,
      own: owner.get(candidate.node_id) === found.held.user_id,
    }));
    const ticket = await issueTicket(c.get("deps"), {
      userId: found.held.user_id ?? "",
      peerId: proven.value.iss,
      leaseId: found.leaseId,
      network: PUBLIC_NETWORK,
      model: asked.model,
      rates: Object.fromEntries(chosen.map(({ node_id, rate }) => [node_id, rate])),
      budget: found.held.budget,
      startsAtS: found.startsAtS,
    });
    const authorization: Authorization = {
      ticket,
      lease_id: found.leaseId,
      network: PUBLIC_NETWORK,
      model: asked.model,
      budget: found.held.budget,
      expires_at: found.startsAtS + TICKET_LIFETIME_S,
      candidates,
    };
    return c.json(authorization, 200);
  });
}

/** Rate window, candidates and hold: three stores, one round trip each, all at once. */
async function askStores(c: AppContext, proven: Proven, asked: AuthorizeRequest) {
  const { db, nowMs, redis } = c.get("deps");
  const startsAtS = Math.floor(nowMs() / 1_000);
  const leaseId = await leaseIdOf(proven.iss, proven.jti);
  const lease = {
    leaseId,
    peerId: proven.iss,
    network: PUBLIC_NETWORK,
    model: asked.model,
    budget: asked.budget ?? DEFAULT_BUDGET_MICROCREDITS,
    expiresAtMs: (startsAtS + TICKET_LIFETIME_S) * 1_000,
  };
  const [admission, sampled, held] = await Promise.allSettled([
    hitWindow(c, TIERS.authorize, proven.iss),
    sampleOffers(redis, proven, PUBLIC_NETWORK, asked.model),
    holdCredits(db, lease, nowMs()),
  ]);
  if (held.status === "rejected") throw held.reason;
  if (admission.status === "rejected" || sampled.status === "rejected") {
    if (held.value.outcome === "held") inBackground(c, voidLease(db, leaseId));
    throw sampled.status === "rejected" ? sampled.reason : new Error("A rate window threw.");
  }
  const { offers, replayed } = sampled.value;
  const dead = offers.filter((offer) => !isAlive(offer, nowMs())).map((offer) => offer.node_id);
  if (dead.length > 0) inBackground(c, dropOffers(redis, PUBLIC_NETWORK, asked.model, dead));
  return { admission: admission.value, replayed, offers, held: held.value, leaseId, startsAtS };
}
