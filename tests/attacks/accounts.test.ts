import { type Attack, attacks, type Honest } from "./attack";
import { FOREIGN_PAGES } from "./foreign-pages";
import { ask, bearer, newPerson, people } from "./people";
import type { Target } from "./target";
import { sha256 } from "#support/vector-keys";

const at = (route: string): string => `at ${route} of the coordinator`;
const INVALID = "400 request_invalid";
const FAILED = "401 login_failed";
const MISSING = "401 session_missing";
const FOREIGN = "403 origin_not_allowed";

const BAD_LOGINS: readonly (readonly [tries: string, refusal: string, fields: object])[] = [
  ["an email of SQL", INVALID, { email: "' or 1=1 --@example.org" }],
  ["an email with a letter that looks like another", INVALID, { email: "j\u043ehn@example.org" }],
  ["an email with a line more", INVALID, { email: "a@example.org\r\nbcc: b@example.org" }],
  ["an email with an end in its middle", INVALID, { email: "a@example.org\0@b.org" }],
  ["an email that is a list", INVALID, { email: ["a@example.org"] }],
  ["an email that is a pattern", INVALID, { email: "%@example.org" }],
  ["an email longer than any", INVALID, { email: `${"a".repeat(300)}@example.org` }],
  ["a password that is a condition", INVALID, { password: { $ne: "" } }],
  ["a password that is always true", INVALID, { password: true }],
  ["a password that costs more than it may", INVALID, { password: "x".repeat(300) }],
  ["a kind of session that there is none of", INVALID, { session: "admin" }],
];

const login = (t: Target, fields: object, headers: Record<string, string> = {}) =>
  ask(t, "/auth/login", { body: { email: "a@example.org", password: "x", ...fields }, headers });

const AT_LOGIN = at("POST /auth/login");
const loginAttacks: Attack[] = [
  ...BAD_LOGINS.map(([tries, refusal, fields]): Attack => [
    tries,
    AT_LOGIN,
    refusal,
    (t) => login(t, fields),
  ]),
  ...FOREIGN_PAGES.map(([what, headers]): Attack => [
    `a login by ${what}`,
    AT_LOGIN,
    FOREIGN,
    async (t) => {
      const { email, password } = (await people(t)).one;
      return login(t, { email, password }, headers(t));
    },
  ]),
  [
    "a form of another site, which a browser sends without asking",
    AT_LOGIN,
    "415 media_type_unsupported",
    (t) =>
      ask(t, "/auth/login", {
        body: { email: "a@example.org", password: "x" },
        headers: { "content-type": "text/plain" },
      }),
  ],
  ["an email that nobody has", AT_LOGIN, FAILED, (t) => login(t, { email: "nobody@example.org" })],
  [
    "a wrong password",
    AT_LOGIN,
    FAILED,
    async (t) => login(t, { email: (await people(t)).one.email, password: "wrong password" }),
  ],
  [
    "no password",
    AT_LOGIN,
    FAILED,
    async (t) => login(t, { email: (await people(t)).one.email, password: "" }),
  ],
  [
    "the password in other letters",
    AT_LOGIN,
    FAILED,
    async (t) => {
      const { email, password } = (await people(t)).one;
      return login(t, { email, password: password.toUpperCase() });
    },
  ],
  [
    "the password with a letter more",
    AT_LOGIN,
    FAILED,
    async (t) => {
      const { email, password } = (await people(t)).one;
      return login(t, { email, password: `${password} ` });
    },
  ],
  [
    "another person's password",
    AT_LOGIN,
    FAILED,
    async (t) => {
      const { one, other } = await people(t);
      return login(t, { email: one.email, password: other.password });
    },
  ],
];

const AT_REGISTER = at("POST /auth/register");
const registerAttacks: Attack[] = [
  ...(["email", "password"] as const).map((field): Attack => [
    `an account without ${field === "email" ? "an email" : "a password"}`,
    AT_REGISTER,
    INVALID,
    (t) =>
      ask(t, "/auth/register", {
        body: { email: "a@example.org", password: "x".repeat(20), [field]: undefined },
      }),
  ]),
  [
    "an account with a password that is soon guessed",
    AT_REGISTER,
    INVALID,
    (t) => ask(t, "/auth/register", { body: { email: "a@example.org", password: "12345678901" } }),
  ],
  ...FOREIGN_PAGES.slice(0, 2).map(([what, headers]): Attack => [
    `an account by ${what}`,
    AT_REGISTER,
    FOREIGN,
    (t) =>
      ask(t, "/auth/register", {
        body: { email: "new@example.org", password: "x".repeat(20) },
        headers: headers(t),
      }),
  ]),
  ...(
    [
      ["an email that is taken", (email: string) => email],
      ["an email that is taken, in other letters", (email: string) => email.toUpperCase()],
      ["an email that is taken, with spaces around it", (email: string) => ` ${email}\u00a0`],
      // U+212A, which is K in small letters.
      [
        "an email that is taken, in letters that become it",
        (email: string) => email.replace("k", "\u212a"),
      ],
    ] as const
  ).map(([tries, change]): Attack => [
    tries,
    AT_REGISTER,
    "409 email_taken",
    async (t) => {
      const email = `k${crypto.randomUUID()}@example.org`;
      const body = { email, password: "x".repeat(20) };
      await ask(t, "/auth/register", { body });
      return ask(t, "/auth/register", { body: { ...body, email: change(email) } });
    },
  ]),
];

/** What somebody without a session shows in the place of one; `one` is logged in. */
const NO_SESSIONS: readonly (readonly [
  tries: string,
  headers: (one: Awaited<ReturnType<typeof newPerson>>) => Record<string, string>,
])[] = [
  ["no session", () => ({})],
  ["a guessed token", () => ({ authorization: `Bearer ${"A".repeat(43)}` })],
  ["a token's beginning", ({ token }) => ({ authorization: `Bearer ${token.slice(0, -1)}` })],
  ["a token and more", ({ token }) => ({ authorization: `Bearer ${token}A` })],
  ["two tokens", ({ token }) => ({ authorization: `Bearer ${token}, Bearer ${token}` })],
  ["a token by HTTP Basic", ({ token }) => ({ authorization: `Basic ${btoa(`:${token}`)}` })],
  [
    "a token's hash, as the database has it",
    ({ token }) => ({ authorization: `Bearer ${sha256(token)}` }),
  ],
  ["a token in other letters", ({ token }) => ({ authorization: `Bearer ${token.toLowerCase()}` })],
  [
    "a cookie that any host of the domain could set",
    ({ token }) => ({ cookie: `troop_session=${token}` }),
  ],
  ["a cookie of a lesser prefix", ({ token }) => ({ cookie: `__Secure-troop_session=${token}` })],
  [
    "a cookie of a prefix in other letters",
    ({ token }) => ({ cookie: `__host-troop_session=${token}` }),
  ],
  ["a cookie behind a wrong token", ({ cookie }) => ({ cookie, authorization: "Bearer x" })],
  ["a cookie in another one", ({ token }) => ({ cookie: `a="__Host-troop_session=${token}"` })],
  ["a session as a proof", ({ token }) => ({ "troop-session": token })],
];

const AT_ME = at("GET /auth/me");
const sessionAttacks: Attack[] = [
  ...NO_SESSIONS.map(([tries, headers]): Attack => [
    tries,
    AT_ME,
    MISSING,
    async (t) => ask(t, "/auth/me", { headers: headers((await people(t)).one) }),
  ]),
  [
    "a token in the path",
    AT_ME,
    MISSING,
    async (t) => ask(t, `/auth/me?token=${(await people(t)).one.token}`),
  ],
  [
    "a session of the attacker's choice, after its victim has logged in with it",
    AT_ME,
    MISSING,
    async (t) => {
      const { email, password } = await newPerson(t);
      const cookie = `__Host-troop_session=${"F".repeat(43)}`;
      await ask(t, "/auth/login", {
        body: { email, password },
        headers: { cookie, origin: t.coordinator },
      });
      return ask(t, "/auth/me", { headers: { cookie } });
    },
  ],
  [
    "a session that was logged out",
    AT_ME,
    MISSING,
    async (t) => {
      const person = await newPerson(t);
      await ask(t, "/auth/logout", { method: "POST", headers: bearer(person) });
      return ask(t, "/auth/me", { headers: bearer(person) });
    },
  ],
  [
    "a session of an account that is gone",
    AT_ME,
    MISSING,
    async (t) => {
      const person = await newPerson(t);
      const { password } = person;
      await ask(t, "/auth/delete", { body: { password }, headers: bearer(person) });
      return ask(t, "/auth/me", { headers: { cookie: person.cookie } });
    },
  ],
];

/** The same, with nothing wrong about it: what is refused above is refused for what it says. */
const honest: Honest[] = [
  [
    "a person's password",
    200,
    async (t) => {
      const { email, password } = (await people(t)).one;
      return login(t, { email, password });
    },
  ],
  ["a token", 200, async (t) => ask(t, "/auth/me", { headers: bearer((await people(t)).one) })],
  [
    "a cookie",
    200,
    async (t) => ask(t, "/auth/me", { headers: { cookie: (await people(t)).one.cookie } }),
  ],
];

attacks([...loginAttacks, ...registerAttacks, ...sessionAttacks], honest);
