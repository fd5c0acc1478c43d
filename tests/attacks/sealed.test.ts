import { generateE2eKey } from "#protocol/e2e-session";
import { formatSessionMark, SEALED_PATH } from "#protocol/sealed-message";
import { type Attack, attacks, type Honest, send } from "./attack";
import { rawAnswer } from "./raw-answer";
import { ask, chat, newSession, provenSession, type Sent } from "./sealed";
import { DOWNGRADES, INSIDE, ON_THE_WAY, PROOFS } from "./sealed-rows";
import type { Target } from "./target";
import { client, goodTicket } from "./tickets";
import { FORGERIES, goodProof, newKey, sign } from "./tokens";

const AT_SEALED = "at POST /v1/sealed of a node";
const PROOF = "401 proof_invalid";
const BROKEN = "400 invalid_request";

const withSession =
  (run: (t: Target) => Sent) =>
  async (t: Target): Promise<Response> =>
    ask(t, await newSession(t), run(t));

const SESSIONS: readonly Attack[] = [
  [
    "no ticket",
    AT_SEALED,
    "401 ticket_missing",
    (t) => send(t, t.node + SEALED_PATH, { method: "POST", body: chat(t) }),
  ],
  [
    "a ticket alone",
    AT_SEALED,
    PROOF,
    async (t) => {
      const headers = { "troop-ticket": (await newSession(t)).ticket };
      return send(t, t.node + SEALED_PATH, { method: "POST", headers, body: chat(t) });
    },
  ],
  ...[
    ["that is no session", "x"],
    ["of zeros", `${"A".repeat(43)}.1.${"A".repeat(22)}`],
    ["without a tag", `${"B".repeat(43)}.1`],
    ["with a number below nothing", `${"B".repeat(43)}.-1.${"A".repeat(22)}`],
    ["with a number beyond all", `${"B".repeat(43)}.9999999999.${"A".repeat(22)}`],
    ["with a number in another spelling", `${"B".repeat(43)}.01.${"A".repeat(22)}`],
  ].map(([what, mark = ""]): Attack => [
    `a session ${what}`,
    AT_SEALED,
    PROOF,
    withSession(() => ({ mark })),
  ]),
  [
    "a session that nobody has proven",
    AT_SEALED,
    "401 session_unknown",
    withSession(() => ({ proof: undefined })),
  ],
  [
    "a session under a key that is not the node's",
    AT_SEALED,
    PROOF,
    async (t) => ask(t, await newSession(t, undefined, (await generateE2eKey()).x)),
  ],
  [
    "the tag of another number",
    AT_SEALED,
    PROOF,
    async (t) => {
      const session = await newSession(t);
      const tag = "A".repeat(22);
      return ask(t, session, {
        seq: 5,
        mark: formatSessionMark({ enc: session.enc, seq: 5, tag }),
      });
    },
  ],
  [
    "a number of its own on another's tag",
    AT_SEALED,
    PROOF,
    async (t) => {
      const [mine, other] = [await newSession(t), await newSession(t)];
      return ask(t, { ...mine, requestKey: other.requestKey });
    },
  ],
  [
    "a session of another lease",
    AT_SEALED,
    PROOF,
    async (t) => {
      const [mine, other] = [await newSession(t), await newSession(t)];
      const first = await ask(t, other);
      return first.status === 200 ? ask(t, { ...other, ticket: mine.ticket }) : first;
    },
  ],
  [
    "a session of another lease without a proof",
    AT_SEALED,
    "401 session_unknown",
    async (t) => {
      const [mine, other] = [await newSession(t), await newSession(t)];
      const first = await ask(t, other);
      return first.status === 200
        ? ask(t, { ...other, ticket: mine.ticket }, { proof: undefined })
        : first;
    },
  ],
  [
    "a session of another peer in the same lease",
    AT_SEALED,
    "401 session_unknown",
    async (t) => {
      const mine = await newSession(t);
      const first = await ask(t, mine);
      const claims = { jti: mine.lease, cnf: { jkt: newKey().peerId }, model: t.model };
      const ticket = sign(goodTicket(t, claims));
      return first.status === 200 ? ask(t, { ...mine, ticket }, { proof: undefined }) : first;
    },
  ],
  [
    "a request that was recorded",
    AT_SEALED,
    PROOF,
    async (t) => {
      const [session, body] = [await newSession(t), chat(t)];
      const proof = sign(provenSession(t, session, 3));
      const again = { seq: 3, body, proof: () => proof };
      const first = await ask(t, session, again);
      return first.status === 200 ? ask(t, session, again) : first;
    },
  ],
  [
    "a request that was recorded, in its session",
    AT_SEALED,
    PROOF,
    async (t) => {
      const [session, body] = [await newSession(t), chat(t)];
      await ask(t, session, { seq: 1 });
      const again = { seq: 2, body, proof: undefined };
      const first = await ask(t, session, again);
      return first.status === 200 ? ask(t, session, again) : first;
    },
  ],
  [
    "another request under a number that was used",
    AT_SEALED,
    PROOF,
    async (t) => {
      const session = await newSession(t);
      const first = await ask(t, session, { seq: 4 });
      return first.status === 200 ? ask(t, session, { seq: 4, proof: undefined }) : first;
    },
  ],
  [
    "a recorded body under another number",
    AT_SEALED,
    BROKEN,
    async (t) => {
      const session = await newSession(t);
      const first = await ask(t, session, { seq: 6 });
      return first.status === 200
        ? ask(t, session, { seq: 6, markSeq: 7, proof: undefined })
        : first;
    },
  ],
  [
    "a body that was sealed as an answer",
    AT_SEALED,
    BROKEN,
    withSession(() => ({ direction: "answer" })),
  ],
  [
    "a ticket for a model that is not there",
    AT_SEALED,
    "404 model_not_found",
    async (t) => ask(t, await newSession(t, goodTicket(t, { model: "not/there" }))),
  ],
  [
    "a ticket without a budget",
    AT_SEALED,
    "402 budget_exhausted",
    async (t) => ask(t, await newSession(t, goodTicket(t, { model: t.model, budget: 0 }))),
  ],
  [
    "a body that is announced as beyond all",
    AT_SEALED,
    "413 request_too_large",
    async (t) => {
      const { hostname, port } = new URL(t.node);
      const { ticket } = await newSession(t);
      const head = `POST /v1/sealed HTTP/1.1\r\nhost: ${hostname}\r\ncontent-length: 99999999999\r\n`;
      return rawAnswer(hostname, Number(port), `${head}troop-ticket: ${ticket}\r\n\r\n`);
    },
  ],
];

/** The same, with nothing wrong about it: what is refused above is refused for what it says. */
const honest: Honest[] = [
  ["a sealed request", 200, async (t) => ask(t, await newSession(t))],
  [
    "the next one in the same session, without a proof",
    200,
    async (t) => {
      const session = await newSession(t);
      await ask(t, session);
      return ask(t, session, { proof: undefined });
    },
  ],
  [
    "a request whose number was given back, since somebody on the way had changed its body",
    200,
    async (t) => {
      const session = await newSession(t);
      await ask(t, session, { seq: 8, bend: () => Buffer.from("changed on its way") });
      return ask(t, session, { seq: 8 });
    },
  ],
];

attacks(
  [
    ...SESSIONS,
    ...PROOFS.map(([tries, proof]): Attack => [
      `a session by a proof ${tries}`,
      AT_SEALED,
      PROOF,
      withSession(() => ({ proof })),
    ]),
    ...FORGERIES.map(([tries, make]): Attack => [
      `a session by a proof ${tries}`,
      AT_SEALED,
      PROOF,
      withSession(() => ({ proof: (t, s, seq) => make(provenSession(t, s, seq)) })),
    ]),
    [
      "a session by a proof that showed a ticket",
      AT_SEALED,
      PROOF,
      withSession(() => ({
        proof: (t, _, seq) =>
          sign(
            goodProof(
              client,
              { audience: `troop:${t.nodeId}`, method: "POST", target: "/tickets" },
              { seq },
            ),
          ),
      })),
    ],
    ...ON_THE_WAY.map(([tries, bend]): Attack => [
      tries,
      AT_SEALED,
      BROKEN,
      withSession(() => ({ bend })),
    ]),
    ...INSIDE.map(([tries, refusal, sent]): Attack => [
      `inside of what is sealed ${tries}`,
      AT_SEALED,
      refusal,
      withSession(sent),
    ]),
    ...DOWNGRADES.map(([tries, where, refusal, sent]): Attack => [
      tries,
      where,
      refusal,
      withSession(() => sent),
    ]),
  ],
  honest,
);
