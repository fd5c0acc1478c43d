import { describe, expect, it } from "vitest";
import { Problem } from "#protocol/problem";
import { Me, Session } from "#protocol/person";
import { useCoordinator } from "#support/coordinator";
import { type Ask, newEmail, PASSWORD, peopleOf } from "./people";

const coordinator = useCoordinator();
const { ask, person } = peopleOf(coordinator);

const code = async (answer: Response) => Problem.parse(await answer.json()).code;
const logIn = (email: string, password: string, more: Ask = {}) =>
  ask("/auth/login", { body: { email, password, session: "bearer" }, ...more });
const cookieOf = (answer: Response) => /^[^;]+/.exec(answer.headers.get("set-cookie") ?? "")?.[0];
const ownOrigin = () => ({ origin: new URL(coordinator().url).origin });

async function cookieOfSomebody(): Promise<string> {
  const answer = await ask("/auth/register", { body: { email: newEmail(), password: PASSWORD } });
  return cookieOf(answer) ?? "";
}

describe("a person", () => {
  it("registers, is known by the token, and logs in again with the email in whatever case", async () => {
    const { ask: asked, email, user } = await person();
    expect(Me.strict().parse(await (await asked("/auth/me")).json())).toMatchObject({
      user_id: user,
      email,
    });
    const again = await logIn(` ${email.toUpperCase()} `, PASSWORD);
    expect(Session.strict().parse(await again.json())).toMatchObject({ user_id: user, email });
    expect(again.headers.get("cache-control")).toBe("no-store");
    expect(again.headers.get("set-cookie")).toBeNull();
  });

  it("is refused an email that has an account, also by two at the same moment", async () => {
    const body = { email: newEmail(), password: PASSWORD };
    const answers = await Promise.all([1, 2, 3].map(() => ask("/auth/register", { body })));
    expect(answers.map(({ status }) => status).filter((one) => one === 201)).toHaveLength(1);
    expect(await code(await ask("/auth/register", { body }))).toBe("email_taken");
  });

  it("is logged out of one session, and of no other", async () => {
    const one = await person();
    const { token } = Session.parse(await (await logIn(one.email, PASSWORD)).json());
    expect((await one.ask("/auth/logout", { method: "POST" })).status).toBe(204);
    expect(await code(await one.ask("/auth/me"))).toBe("session_missing");
    const other = await ask("/auth/me", { headers: { authorization: `Bearer ${token}` } });
    expect(other.status).toBe(200);
  });
});

describe("a wrong login", () => {
  it("is answered the same for an unknown email and for a wrong password", async () => {
    const { email } = await person();
    const wrong = await logIn(email, `${PASSWORD}!`);
    const unknown = await logIn(newEmail(), PASSWORD);
    const [a, b] = [await wrong.json(), await unknown.json()].map((body) => Problem.parse(body));
    expect(a).toEqual({ ...b, requestId: a?.requestId });
    expect(a).toMatchObject({ status: 401, code: "login_failed" });
    // How the bytes are framed is the transport's affair.
    const names = (answer: Response) =>
      [...answer.headers.keys()].filter((name) => !/^(content-length|transfer-)/.test(name));
    expect(new Set(names(wrong))).toEqual(new Set(names(unknown)));
  });

  it("costs the same: an unknown email is hashed for, too", async () => {
    const { email } = await person();
    const tookMs = async (email: string) => {
      const startedMs = performance.now();
      await (await logIn(email, "not the password")).text();
      return performance.now() - startedMs;
    };
    // A refusal that hashes nothing, on the same machine at the same time, is the measure.
    const cheap: number[] = [];
    const known: number[] = [];
    const unknown: number[] = [];
    for (let turn = 0; turn < 5; turn++) {
      const startedMs = performance.now();
      await (await ask("/auth/me")).text();
      cheap.push(performance.now() - startedMs);
      known.push(await tookMs(email));
      unknown.push(await tookMs(newEmail()));
    }
    // Whatever else the machine does only makes one longer: the shortest says what it costs.
    const costs = [known, unknown].map((all) => Math.min(...all));
    const [low, high] = [Math.min(...costs), Math.max(...costs)];
    expect(high - low).toBeLessThan((low - Math.min(...cheap)) / 2);
  });
});

describe("a session's cookie", () => {
  it("belongs to this host alone, is hidden from scripts and not sent by other sites", async () => {
    const answer = await ask("/auth/register", { body: { email: newEmail(), password: PASSWORD } });
    const cookie = answer.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^__Host-troop_session=[\w-]{43}; /);
    for (const word of ["Path=/", "HttpOnly", "Secure", "SameSite=Strict"]) {
      expect(cookie).toContain(word);
    }
    expect(cookie).not.toMatch(/domain=/i);
    expect(Session.parse(await answer.json()).token).toBeUndefined();
    const headers = { cookie: cookieOf(answer) ?? "" };
    expect((await ask("/auth/me", { headers })).status).toBe(200);
  });

  it.each([
    ["no page that is named", {}],
    ["another site's page", { origin: "https://evil.example" }],
    ["a page of another port", { origin: "http://127.0.0.1:1" }],
    ["a sandboxed page", { origin: "null" }],
    ["another site's page, in a browser that says no more", { "sec-fetch-site": "cross-site" }],
  ])("changes nothing from %s", async (_what, headers) => {
    const cookie = await cookieOfSomebody();
    const answer = await ask("/auth/logout", { method: "POST", headers: { cookie, ...headers } });
    expect(await code(answer)).toBe("origin_not_allowed");
    expect((await ask("/auth/me", { headers: { cookie } })).status).toBe(200);
  });

  it("logs out from a page of this coordinator, and is taken back", async () => {
    const headers = { cookie: await cookieOfSomebody(), ...ownOrigin() };
    const answer = await ask("/auth/logout", { method: "POST", headers });
    expect(answer.status).toBe(204);
    expect(answer.headers.get("set-cookie")).toMatch(/^__Host-troop_session=; .*Max-Age=0/);
    expect(await code(await ask("/auth/me", { headers }))).toBe("session_missing");
  });

  it.each(["/auth/login", "/auth/register"])(
    "is given to no other site's page by %s",
    async (path) => {
      const body = { email: newEmail(), password: PASSWORD };
      const headers = { origin: "https://evil.example" };
      const answer = await ask(path, { body, headers });
      expect(await code(answer)).toBe("origin_not_allowed");
      expect(answer.headers.get("set-cookie")).toBeNull();
    },
  );
});

it.each([
  ["nothing", undefined],
  ["no bearer", "Basic eDp5"],
  ["a token that nobody was given", `Bearer ${"A".repeat(43)}`],
  ["a token too long to be one", `Bearer ${"A".repeat(5_000)}`],
  ["SQL", "Bearer ' or true --"],
])("knows nobody by %s", async (_what, authorization) => {
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
  expect(await code(await ask("/auth/me", { headers }))).toBe("session_missing");
});

it.each([
  [{ email: "no address", password: PASSWORD }, "email"],
  [{ email: `${"a".repeat(250)}@example.org`, password: PASSWORD }, "email"],
  [{ email: "a@example.org", password: "elevenchars" }, "password"],
  [{ email: "a@example.org", password: "x".repeat(257) }, "password"],
  [{ email: "a@example.org", password: PASSWORD, session: "query" }, "session"],
])(
  "names the field of a registration that it refuses, and not the value: %j",
  async (body, field) => {
    const answer = await ask("/auth/register", { body });
    const said = Problem.parse(await answer.json());
    expect(said).toMatchObject({ status: 400, code: "request_invalid", fields: [field] });
    expect(JSON.stringify(said)).not.toContain(body.password);
  },
);
