import { type Attack, attacks, type Honest } from "./attack";
import { FOREIGN_PAGES } from "./foreign-pages";
import { asPeer, newPeer } from "./peer-call";
import { ask, bearer, begin, browser, decide, machineOf, newPerson, people, poll } from "./people";

const at = (route: string): string => `at ${route} of the coordinator`;
const INVALID = "400 request_invalid";
const FAILED = "401 login_failed";
const MISSING = "401 session_missing";
const FOREIGN = "403 origin_not_allowed";
const HIDDEN = "404 not_found";
const OVER = "400 expired_token";

/** What changes something, as a page of the coordinator's own would ask for it. */
const CHANGES: readonly (readonly [route: string, body: object | undefined])[] = [
  ["/auth/logout", undefined],
  ["/auth/delete", { password: "x" }],
  ["/auth/device/find", { user_code: "BCDF-GHJK" }],
  ["/auth/device/decide", { user_code: "BCDF-GHJK", approve: true }],
  [`/auth/peers/${"A".repeat(43)}/revoke`, undefined],
];

const forgeries: Attack[] = CHANGES.flatMap(([path, body]) =>
  [...FOREIGN_PAGES, ["a page that does not say whose it is", () => ({})] as const].map(
    ([what, headers]): Attack => [
      `${what}, with the cookie of who looks at it,`,
      at(`POST ${path}`),
      FOREIGN,
      async (t) => {
        const { cookie } = (await people(t)).one;
        return ask(t, path, { method: "POST", body, headers: { cookie, ...headers(t) } });
      },
    ],
  ),
);

const othersAttacks: Attack[] = [
  [
    "another person's machine",
    at("POST /auth/peers/:id/revoke"),
    HIDDEN,
    async (t) => {
      const { one, machine } = await people(t);
      const path = `/auth/peers/${machine.key.peerId}/revoke`;
      return ask(t, path, { method: "POST", headers: bearer(one) });
    },
  ],
  [
    "a machine that its own sister signs out",
    at("POST /auth/peers/:id/revoke"),
    HIDDEN,
    async (t) => {
      const { other, machine } = await people(t);
      const sister = await machineOf(t, other);
      const path = `/auth/peers/${machine.key.peerId}/revoke`;
      return asPeer(t, sister.key, path, { method: "POST" });
    },
  ],
  ...["balance", "transactions", "earnings"].map((what): Attack => [
    `another person's ${what}`,
    at(`GET /users/:id/${what}`),
    HIDDEN,
    async (t) => {
      const { other } = await people(t);
      return asPeer(t, (await newPeer(t)).key, `/users/${other.user}/${what}`);
    },
  ]),
  [
    "all that is kept about a person, by its machine",
    at("GET /auth/export"),
    MISSING,
    async (t) => asPeer(t, (await people(t)).machine.key, "/auth/export"),
  ],
  [
    "all that is kept about a person, by nobody",
    at("GET /auth/export"),
    MISSING,
    (t) => ask(t, "/auth/export"),
  ],
  [
    "an account's end by its machine",
    at("POST /auth/delete"),
    MISSING,
    async (t) => {
      const { machine, other } = await people(t);
      return asPeer(t, machine.key, "/auth/delete", { body: { password: other.password } });
    },
  ],
  [
    "an account's end by who knows but its password",
    at("POST /auth/delete"),
    MISSING,
    async (t) => ask(t, "/auth/delete", { body: { password: (await people(t)).one.password } }),
  ],
  [
    "an account's end by who has but its session",
    at("POST /auth/delete"),
    FAILED,
    async (t) => {
      const { one, other } = await people(t);
      const { password } = other;
      return ask(t, "/auth/delete", { body: { password }, headers: browser(t, one) });
    },
  ],
  [
    "an invite to join by who is no operator",
    at("POST /admin/invites"),
    "401 credentials_invalid",
    async (t) => ask(t, "/admin/invites", { body: {}, headers: bearer((await people(t)).one) }),
  ],
  [
    "the machine of an account that is gone",
    at("POST /register"),
    "403 peer_revoked",
    async (t) => {
      const person = await newPerson(t);
      const machine = await machineOf(t, person);
      const { password } = person;
      await ask(t, "/auth/delete", { body: { password }, headers: bearer(person) });
      return asPeer(t, machine.key, "/register", { body: {} });
    },
  ],
];

const AT_TOKEN = at("POST /auth/device/token");
const AT_DECIDE = at("POST /auth/device/decide");
const deviceAttacks: Attack[] = [
  [
    "a code that was overheard",
    AT_TOKEN,
    OVER,
    async (t) => {
      const [peer, thief] = [await newPeer(t), await newPeer(t)];
      const begun = await begin(t, peer);
      await decide(t, (await people(t)).one, begun);
      return poll(t, thief, begun);
    },
  ],
  [
    "a code that was guessed",
    AT_TOKEN,
    OVER,
    async (t) => poll(t, await newPeer(t), { device_code: "A".repeat(43), user_code: "" }),
  ],
  [
    "the person's code in the place of the machine's",
    AT_TOKEN,
    OVER,
    async (t) => {
      const peer = await newPeer(t);
      const begun = await begin(t, peer);
      return poll(t, peer, { ...begun, device_code: begun.user_code });
    },
  ],
  [
    "a code from before its machine was signed out",
    AT_TOKEN,
    OVER,
    async (t) => {
      const [{ one }, peer] = [await people(t), await newPeer(t)];
      const begun = await begin(t, peer);
      await decide(t, one, begun);
      await poll(t, peer, begun);
      const path = `/auth/peers/${peer.key.peerId}/revoke`;
      await ask(t, path, { method: "POST", headers: bearer(one) });
      return poll(t, peer, begun);
    },
  ],
  [
    "a code that was refused",
    AT_TOKEN,
    OVER,
    async (t) => {
      const peer = await newPeer(t);
      const begun = await begin(t, peer);
      await decide(t, (await people(t)).one, begun, false);
      await poll(t, peer, begun);
      return poll(t, peer, begun);
    },
  ],
  [
    "a machine's own word that it is approved",
    AT_TOKEN,
    "400 authorization_pending",
    async (t) => {
      const { key } = await newPeer(t);
      const { device_code } = await begin(t, { key });
      const body = { device_code, decision: { state: "approved" }, approve: true };
      return asPeer(t, key, "/auth/device/token", { body });
    },
  ],
  [
    "a yes by nobody",
    AT_DECIDE,
    MISSING,
    async (t) => {
      const { user_code } = await begin(t, await newPeer(t));
      return ask(t, "/auth/device/decide", { body: { user_code, approve: true } });
    },
  ],
  [
    "a yes by the machine that asks",
    AT_DECIDE,
    MISSING,
    async (t) => {
      const { key } = await newPeer(t);
      const { user_code } = await begin(t, { key });
      return asPeer(t, key, "/auth/device/decide", { body: { user_code, approve: true } });
    },
  ],
  [
    "a second word on a code",
    AT_DECIDE,
    HIDDEN,
    async (t) => {
      const [{ one, other }, peer] = [await people(t), await newPeer(t)];
      const begun = await begin(t, peer);
      await decide(t, one, begun, false);
      return decide(t, other, begun);
    },
  ],
  [
    "a code that no machine shows",
    at("POST /auth/device/find"),
    HIDDEN,
    async (t) => {
      const headers = bearer((await people(t)).one);
      return ask(t, "/auth/device/find", { body: { user_code: "BBBBBBBB" }, headers });
    },
  ],
  [
    "a code in letters that look like others",
    at("POST /auth/device/find"),
    INVALID,
    async (t) => {
      const headers = bearer((await people(t)).one);
      return ask(t, "/auth/device/find", { body: { user_code: "\u0412CDF-GHJK" }, headers });
    },
  ],
  [
    "a machine whose name writes over the terminal",
    at("POST /auth/device"),
    INVALID,
    async (t) =>
      asPeer(t, (await newPeer(t)).key, "/auth/device", { body: { name: "\u001b[2Jyours" } }),
  ],
  [
    "a machine whose name reads the other way round",
    at("POST /auth/device"),
    INVALID,
    async (t) =>
      asPeer(t, (await newPeer(t)).key, "/auth/device", { body: { name: "a\u202etop" } }),
  ],
  // The last of these, since it fills the window.
  [
    "more codes than an address gets, by claiming to be at others",
    at("POST /auth/device"),
    "429 rate_limited",
    async (t) => {
      const { key } = await newPeer(t);
      for (let turn = 0; ; turn += 1) {
        const elsewhere = `203.0.113.${turn}`;
        const names = [
          "cf-connecting-ip",
          "x-forwarded-for",
          "x-real-ip",
          "forwarded",
          "true-client-ip",
        ];
        const headers = Object.fromEntries(names.map((name) => [name, elsewhere]));
        const answer = await asPeer(t, key, "/auth/device", { body: {}, headers });
        if (answer.status !== 200 || turn === 40) return answer;
      }
    },
  ],
];

/** The same, with nothing wrong about it: what is refused above is refused for what it says. */
const honest: Honest[] = [
  [
    "a cookie by a page of the coordinator's own",
    204,
    async (t) => {
      const person = await newPerson(t);
      return ask(t, "/auth/logout", { method: "POST", headers: browser(t, person) });
    },
  ],
  [
    "a person's own data",
    200,
    async (t) => ask(t, "/auth/export", { headers: bearer((await people(t)).one) }),
  ],
  [
    "a machine's look at its person's balance",
    200,
    async (t) => {
      const { machine } = await people(t);
      return asPeer(t, machine.key, `/users/${machine.user}/balance`);
    },
  ],
];

attacks([...forgeries, ...othersAttacks, ...deviceAttacks], honest);
