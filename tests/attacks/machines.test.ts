import { type Attack, attacks, type Honest } from "./attack";
import { FOREIGN_PAGES } from "./foreign-pages";
import { asPeer, newPeer } from "./peer-call";
import { deviceAttacks } from "./device-rows";
import { ask, bearer, browser, machineOf, newPerson, people } from "./people";

const at = (route: string): string => `at ${route} of the coordinator`;
const FAILED = "401 login_failed";
const MISSING = "401 session_missing";
const FOREIGN = "403 origin_not_allowed";
const HIDDEN = "404 not_found";

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
