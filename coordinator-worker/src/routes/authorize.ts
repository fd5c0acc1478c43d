import { counted } from "#protocol/counted";
import { createRoute } from "@hono/zod-openapi";
import { Authorization, AuthorizeRequest, DEFAULT_BUDGET_MICROCREDITS } from "#protocol/authorize";
import { formatCredits } from "#protocol/microcredits";
import { PUBLIC_NETWORK } from "#protocol/names";
import { TICKET_LIFETIME_S } from "#protocol/ticket";
import type { App, AppContext } from "../app-env";
import type { Proven } from "../authenticate";
import { audit } from "../audit";
import { chooseCandidates, isAlive, observations, verdicts } from "../domain/choose-candidates";
import { leaseIdOf } from "../domain/lease-id";
import { TIERS } from "../domain/rate-tiers";
import { enter } from "../enter";
import { noSuchNetwork } from "../hidden";
import { inBackground } from "../in-background";
import { issueTicket } from "../issue-ticket";
import { refuseRate } from "../limit-rate";
import { problem, problemResponses, PROOF_PROBLEMS } from "../problem";
import { countChoices } from "../store/choices";
import { type Held, holdCredits, voidLease } from "../store/ledger";
import { dropOffers, sampleOffers } from "../store/live-nodes";
import { hitUserWindow, learnUser } from "../user-window";

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
      ...PROOF_PROBLEMS,
      "credits_exhausted",
      "not_registered",
      "peer_revoked",
      "forbidden",
      "not_found",
      "model_unavailable",
      "rate_limited",
    ),
  },
});

export function authorize(app: App): void {
  app.openapi(route, async (c) => {
    const { network = PUBLIC_NETWORK, ...rest } = c.req.valid("json");
    const asked = { ...rest, network };
    const entered = await enter(c, { tier: TIERS.authorize }, (proven) =>
      askStores(c, proven, asked),
    );
    // A refusal may have a hold to give back; it is given back off the path.
    const refuse = <Answer>(answer: Answer): Answer => {
      const { found } = entered;
      if (found?.held.outcome === "held")
        inBackground(c, voidLease(c.get("deps").db, found.leaseId));
      return answer;
    };
    if (!entered.ok) return refuse(entered.answer);
    const { found } = entered;
    if (found.ofUser?.admitted === false) return refuse(refuseRate(c, found.ofUser));
    if (found.held.user_id !== null) learnUser(c, entered.proven.iss, found.held.user_id);
    switch (found.held.outcome) {
      case "replayed":
        return problem(c, "proof_replayed");
      case "not_registered":
        return problem(c, "not_registered", { detail: "Register first: POST /register." });
      case "peer_revoked":
        return problem(c, "peer_revoked", { detail: 'Run "troop login" to link it again.' });
      case "network_unknown":
        return noSuchNetwork(c);
      case "may_not_use":
        return problem(c, "forbidden", { detail: "You may lend in this network, not use it." });
      case "model_not_allowed":
        return modelUnavailable(c);
      case "credits_exhausted":
        return problem(c, "credits_exhausted", {
          balance_microcredits: found.held.available,
          held_microcredits: found.held.held,
          detail: outOfCredits(found.held, c.get("deps").config.starterNeedsHardware),
        });
      case "held":
    }

    const { nowMs, redis } = c.get("deps");
    const { exclude = [], prefer = [], observed = [] } = asked;
    const firstOwner = found.held.own_nodes_first ? found.held.user_id : null;
    const chosen = chooseCandidates(
      found.offers,
      exclude,
      nowMs(),
      Math.random,
      firstOwner,
      prefer,
    );
    const looked = verdicts(found.offers, chosen, exclude, nowMs());
    const seen = observations(found.offers, observed);
    inBackground(c, countChoices(redis, [...looked, ...seen], nowMs()));
    if (chosen.length === 0) return refuse(modelUnavailable(c));
    const owner = new Map(found.offers.map((offer) => [offer.node_id, offer.user_id]));
    const { credits } = found.held;
    // Without credits nothing was held: the budget is a number that nothing counts towards.
    const budget = credits ? found.held.budget : budgetOf(asked);
    const candidates = chosen.map((candidate) => ({
      ...candidate,
      rate: credits ? candidate.rate : 0,
      own: owner.get(candidate.node_id) === found.held.user_id,
    }));
    const ticket = await issueTicket(c.get("deps"), {
      userId: found.held.user_id ?? "",
      peerId: entered.proven.iss,
      leaseId: found.leaseId,
      network: asked.network,
      model: asked.model,
      rates: Object.fromEntries(candidates.map(({ node_id, rate }) => [node_id, rate])),
      budget,
      startsAtS: found.startsAtS,
    });
    audit(c, {
      type: "authorized",
      userId: found.held.user_id ?? undefined,
      peerId: entered.proven.iss,
      details: { lease: found.leaseId, budget: found.held.budget, candidates: chosen.length },
    });
    const authorization: Authorization = {
      ticket,
      lease_id: found.leaseId,
      network: asked.network,
      model: asked.model,
      budget,
      expires_at: found.startsAtS + TICKET_LIFETIME_S,
      candidates,
    };
    return c.json(authorization, 200);
  });
}

function budgetOf({ budget }: AuthorizeRequest): number {
  return budget ?? DEFAULT_BUDGET_MICROCREDITS;
}

function modelUnavailable(c: AppContext) {
  return problem(c, "model_unavailable", {
    detail: "GET /v1/models lists the models that are there.",
  });
}

function outOfCredits({ available, held }: Held, starterNeedsHardware: boolean): string {
  const balance = `The balance is ${counted(formatCredits(available), "credit")}`;
  const holds = held === 0 ? "" : `, and open leases hold ${formatCredits(held)} until they end`;
  const starter = starterNeedsHardware
    ? ' Starter credits come once, with a proof of hardware: "troop benchmark".'
    : "";
  return `${balance}${holds}. Running "troop worker" earns more.${starter}`;
}

/** Candidates and hold: two stores, one round trip each, both at once, while the rate window is asked. */
async function askStores(
  c: AppContext,
  proven: Proven,
  asked: AuthorizeRequest & { readonly network: string },
) {
  const { db, keys, nowMs, redis } = c.get("deps");
  const startsAtS = Math.floor(nowMs() / 1_000);
  const leaseId = await leaseIdOf(proven.iss, proven.jti);
  const lease = {
    leaseId,
    peerId: proven.iss,
    network: asked.network,
    model: asked.model,
    budget: budgetOf(asked),
    expiresAtMs: (startsAtS + TICKET_LIFETIME_S) * 1_000,
  };
  const ofUser = hitUserWindow(c, proven.iss);
  const [ticketNeeds, held] = await Promise.allSettled([
    Promise.all([
      sampleOffers(redis, proven, asked.network, asked.model, asked),
      // Now and then they are read anew; not when the ticket is signed, which would be one round trip more, and could fail.
      keys.current(),
    ]),
    holdCredits(db, lease, nowMs()),
  ]);
  if (held.status === "rejected") throw held.reason;
  if (ticketNeeds.status === "rejected") {
    if (held.value.outcome === "held") inBackground(c, voidLease(db, leaseId));
    throw ticketNeeds.reason;
  }
  const [{ offers, replayed }] = ticketNeeds.value;
  const dead = offers.filter((offer) => !isAlive(offer, nowMs())).map((offer) => offer.node_id);
  if (dead.length > 0) inBackground(c, dropOffers(redis, asked.network, asked.model, dead));
  return { ofUser: await ofUser, replayed, offers, held: held.value, leaseId, startsAtS };
}
