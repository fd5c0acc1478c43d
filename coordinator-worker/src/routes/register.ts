import { createRoute } from "@hono/zod-openapi";
import { ENROLMENT_LIFETIME_S, MOST_LENT_IN, signEnrolment } from "#protocol/enrolment";
import { PUBLIC_NETWORK, userIdFrom } from "#protocol/names";
import { RegisterRequest, Registration } from "#protocol/register";
import { admitNewcomer } from "../admit-newcomer";
import type { App } from "../app-env";
import { audit } from "../audit";
import { UNPROVEN_RATE } from "../domain/hardware-score";
import { mayServe } from "../domain/network-rights";
import { TIERS } from "../domain/rate-tiers";
import { enter, markAnd } from "../enter";
import { meetPeer } from "../met-peers";
import { inBackground } from "../in-background";
import { problem, problemResponses, PROOF_PROBLEMS } from "../problem";
import { rememberHardware } from "../remember-hardware";
import { senderSubject } from "../sender-address";
import { settleSuspension } from "../settle-suspension";
import { starterAtOnce } from "../starter-at-once";
import { registerPeer } from "../store/ledger";
import { touchPeer } from "../store/peers";
import { beginRemembering } from "../store/signed-out";

const route = createRoute({
  operationId: "registerPeer",
  method: "post",
  path: "/register",
  request: {
    body: { required: true, content: { "application/json": { schema: RegisterRequest } } },
  },
  responses: {
    200: {
      description: "Enrolled, now or before",
      content: { "application/json": { schema: Registration } },
    },
    ...problemResponses(
      "request_invalid",
      ...PROOF_PROBLEMS,
      "peer_revoked",
      "registration_closed",
      "rate_limited",
    ),
  },
});

export function register(app: App): void {
  app.openapi(route, async (c) => {
    const { config, db, keys, nowMs, redis } = c.get("deps");
    const window = { tier: TIERS.renew, subject: senderSubject(c) };
    const entered = await enter(c, window, (proven) =>
      markAnd(
        c,
        proven,
        Promise.all([touchPeer(db, proven.iss), beginRemembering(redis, nowMs())]),
      ),
    );
    if (!entered.ok) return entered.answer;
    const [known] = entered.found.read;
    const { iss: peerId, key } = entered.proven;
    if (known === undefined) {
      if (config.joinPolicy !== "open") {
        return problem(c, "registration_closed", {
          detail: 'With an account: "troop login".',
        });
      }
      const refused = await admitNewcomer(c);
      if (refused !== undefined) return refused;
    }
    // Before it is looked at what the peer is: who signs it out meanwhile ends enrolments from until then.
    const iat = Math.floor(nowMs() / 1_000);
    if (known?.suspended_reason != null) {
      await settleSuspension(c.get("deps"), peerId);
    }
    const {
      user_id: userId,
      networks,
      is_revoked: isRevoked,
    } = await registerPeer(db, {
      peerId,
      publicKeyX: key.x,
      name: c.req.valid("json").name,
      newUserId: userIdFrom(crypto.getRandomValues(new Uint8Array(16))),
      starterMicrocredits: starterAtOnce(config),
    });
    if (isRevoked) {
      return problem(c, "peer_revoked", { detail: 'Run "troop login" to link it again.' });
    }
    meetPeer(peerId);
    // Who brings machines together may belong to more networks than one enrolment names; the oldest count.
    const lending = networks
      .filter(({ role, policy }) => mayServe(role, policy))
      .slice(0, MOST_LENT_IN - 1);
    const claims = {
      iss: config.publicUrl,
      sub: peerId,
      usr: userId,
      nets: [PUBLIC_NETWORK, ...lending.map(({ network }) => network)],
      rate: UNPROVEN_RATE,
      iat,
      exp: iat + ENROLMENT_LIFETIME_S,
    };
    if (known === undefined) audit(c, { type: "peer_registered", userId, peerId });
    else inBackground(c, rememberHardware(c.get("deps"), peerId));
    const { jwks, kid, signingKey } = await keys.latest();
    const registration: Registration = {
      peer_id: peerId,
      user_id: userId,
      networks: claims.nets,
      memberships: networks.map(({ network, name, role }) => ({ network, name, role })),
      issuer: config.publicUrl,
      jwks,
      enrolment: await signEnrolment(claims, signingKey, kid),
      enrolment_expires_at: claims.exp,
      rate: claims.rate,
      allowed_ranges: [...config.allowedRanges],
    };
    return c.json(registration, 200);
  });
}
