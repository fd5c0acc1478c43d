import { expect, it, onTestFinished } from "vitest";
import { generatePrivateKey, type Identity, openIdentity } from "#protocol/identity";
import { ENROLMENT_HEADER } from "#protocol/enrolment";
import { PROTOCOL_HEADER, PROTOCOL_VERSION } from "#protocol/version";
import { type CoordinatorApi, coordinatorApi } from "#peer/coordinator/api";
import { CoordinatorProblem, CoordinatorUnreachable } from "#peer/coordinator/errors";
import {
  type Answer,
  type FakeCoordinator,
  fakeCoordinator,
  problem,
  registrationOf,
} from "./fake-coordinator";

const QUICK = { retryDelayMs: 10 };

async function newIdentity(): Promise<Identity> {
  return openIdentity(await generatePrivateKey());
}

async function setUp(
  answers: Record<string, Answer>,
  options: Parameters<typeof fakeCoordinator>[1] &
    Partial<Parameters<typeof coordinatorApi>[0]> = {},
): Promise<{ coordinator: FakeCoordinator; api: CoordinatorApi; identity: Identity }> {
  const coordinator = fakeCoordinator(answers, options);
  onTestFinished(() => coordinator[Symbol.asyncDispose]());
  const identity = await newIdentity();
  const { limits = QUICK } = options;
  const api = coordinatorApi({ baseUrl: coordinator.baseUrl, identity, limits });
  return { coordinator, api, identity };
}

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => expect.unreachable("the call should have failed"),
    (error: unknown) => error,
  );
}

const HEALTHY: Answer = () => Response.json({ status: "ok" });

it("proves every call, with the path prefix and the query inside the proof", async () => {
  const { coordinator, api, identity } = await setUp(
    { "GET /nodes": () => Response.json({ nodes: [] }) },
    { prefix: "/api/v2" },
  );
  await api.nodes({ cursor: "a b&c=/d", model: "org/model:q4" });
  expect(coordinator.seen).toHaveLength(1);
  expect(coordinator.seen[0]?.peerId).toBe(identity.peerId);
  const query = new URL(`http://x${coordinator.seen[0]?.target}`).searchParams;
  expect(Object.fromEntries(query)).toEqual({ cursor: "a b&c=/d", model: "org/model:q4" });
});

it("takes a base URL with trailing slashes for the same one", async () => {
  const { coordinator, identity } = await setUp({ "GET /health": HEALTHY }, { prefix: "/api" });
  const api = coordinatorApi({ baseUrl: `${coordinator.baseUrl}//`, identity });
  await expect(api.health()).resolves.toEqual({ status: "ok" });
});

it("names the protocol version and its own version in each call", async () => {
  const { coordinator, api } = await setUp({ "GET /health": HEALTHY });
  await api.health();
  const headers = coordinator.seen[0]?.headers;
  expect(headers?.get(PROTOCOL_HEADER)).toBe(String(PROTOCOL_VERSION));
  expect(headers?.get("user-agent")).toMatch(/^troop\/\d+\.\d+\.\d+ .*protocol\/\d+$/);
});

it("shows its enrolment with a heartbeat", async () => {
  const { coordinator, api } = await setUp({
    "POST /heartbeat": () => Response.json({ status: "seen", next_in_seconds: 15 }),
  });
  const body = {
    state: "serving" as const,
    urls: ["http://127.0.0.1:8080"],
    e2e_key: "the.nodes.key",
    models: [],
    withdrawn: [],
    running: 0,
    waiting: 0,
    concurrency: 1,
    version: "0.1.0",
  };
  await expect(api.heartbeat(body, "the.enrolment.jws")).resolves.toMatchObject({
    next_in_seconds: 15,
  });
  expect(coordinator.seen[0]?.headers.get(ENROLMENT_HEADER)).toBe("the.enrolment.jws");
  expect(JSON.parse(coordinator.seen[0]?.body ?? "")).toEqual(body);
});

it("tries a read again with a new proof when the coordinator fails", async () => {
  let failures = 2;
  const { coordinator, api } = await setUp({
    "GET /health": (call) => (failures-- > 0 ? problem("store_unavailable") : HEALTHY(call)),
  });
  await expect(api.health()).resolves.toEqual({ status: "ok" });
  expect(new Set(coordinator.seen.map((call) => call.jti)).size).toBe(3);
});

it("gives up after three tries and throws what the last one said", async () => {
  const { coordinator, api } = await setUp({ "GET /health": () => problem("store_unavailable") });
  const error = await failureOf(api.health());
  expect(error).toBeInstanceOf(CoordinatorProblem);
  expect((error as CoordinatorProblem).problem.code).toBe("store_unavailable");
  expect(coordinator.seen).toHaveLength(3);
});

it.each<[string, (api: CoordinatorApi) => Promise<unknown>, string]>([
  ["authorize", (api) => api.authorize({ model: "m" }), "POST /authorize"],
  ["extend", (api) => api.extend({ ticket: "a.b.c", add: 1 }), "POST /authorize/extend"],
])("sends %s once: a second one would hold credits again", async (_name, send, route) => {
  const { coordinator, api } = await setUp({ [route]: () => problem("store_unavailable") });
  expect(await failureOf(send(api))).toBeInstanceOf(CoordinatorProblem);
  expect(coordinator.seen).toHaveLength(1);
});

it("does not repeat what the coordinator refuses for good", async () => {
  const { coordinator, api } = await setUp({ "GET /v1/models": () => problem("forbidden") });
  expect(await failureOf(api.models())).toBeInstanceOf(CoordinatorProblem);
  expect(coordinator.seen).toHaveLength(1);
});

it("passes on the whole problem and when to come back", async () => {
  const { api } = await setUp({
    "POST /authorize": () =>
      problem("credits_exhausted", { balance_microcredits: 41, detail: "Lend to earn." }),
    "GET /health": () => problem("rate_limited", {}, { "retry-after": "7" }),
  });
  const poor = (await failureOf(api.authorize({ model: "m" }))) as CoordinatorProblem;
  expect(poor.problem.balance_microcredits).toBe(41);
  expect(poor.message).toContain("Lend to earn.");
  const limited = (await failureOf(api.health())) as CoordinatorProblem;
  expect(limited.retryAfterMs).toBe(7_000);
  expect(limited.message).toContain("Try again in 7 seconds.");
});

it("says how far this machine's clock is off", async () => {
  const { coordinator, identity } = await setUp({ "GET /health": HEALTHY });
  const nowMs = () => Date.now() + 600_000;
  const api = coordinatorApi({ baseUrl: coordinator.baseUrl, identity, nowMs, limits: QUICK });
  const error = (await failureOf(api.health())) as CoordinatorProblem;
  expect(error.problem.code).toBe("clock_skew");
  const seconds = Number(/is (\d+) seconds ahead of/.exec(error.message)?.[1]);
  expect(seconds).toBeGreaterThanOrEqual(599);
  expect(seconds).toBeLessThanOrEqual(602);
});

it("keeps terminal control sequences in a problem away from the terminal", async () => {
  const { api } = await setUp({
    "GET /health": () => problem("forbidden", { detail: "\u001b]0;owned\u0007\u009b31m\u202eno" }),
  });
  const error = (await failureOf(api.health())) as CoordinatorProblem;
  expect(error.message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

it("is unreachable where nothing listens, in words that name the URL", async () => {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const baseUrl = `http://127.0.0.1:${server.port}`;
  await server.stop(true);
  const api = coordinatorApi({ baseUrl, identity: await newIdentity(), limits: QUICK });
  const error = (await failureOf(api.health())) as CoordinatorUnreachable;
  expect(error).toBeInstanceOf(CoordinatorUnreachable);
  expect(error.message).toBe(
    `The coordinator at ${baseUrl} cannot be used: nothing listens there.`,
  );
});

it("gives up in time where no answer comes, retries included", async () => {
  const never = Promise.withResolvers<Response>();
  onTestFinished(() => never.resolve(new Response()));
  const { api } = await setUp(
    { "GET /health": () => never.promise },
    { limits: { discoveryMs: 100, retryDelayMs: 10 } },
  );
  const error = (await failureOf(api.health())) as CoordinatorUnreachable;
  expect(error).toBeInstanceOf(CoordinatorUnreachable);
  expect(error.message).toContain("did not answer in time");
});

it.each<[string, () => Response, string]>([
  [
    "a redirect, which it does not follow",
    () => Response.redirect("http://127.0.0.1:9/", 302),
    "status 302",
  ],
  [
    "a web page",
    () => new Response("<html>", { headers: { "content-type": "text/html" } }),
    "form",
  ],
  ["an error without a problem", () => new Response("no", { status: 403 }), "status 403"],
  ["an answer of another shape", () => Response.json({ state: "ok" }), "field status"],
  [
    "a problem of no known code",
    () => problem("forbidden", { code: "made_up" as "forbidden" }),
    "status 403",
  ],
])("is unreachable where something else answers: %s", async (_name, answer, said) => {
  const { api } = await setUp({ "GET /health": answer });
  const error = (await failureOf(api.health())) as CoordinatorUnreachable;
  expect(error).toBeInstanceOf(CoordinatorUnreachable);
  expect(error.message).toContain(said);
});

it.each([
  ["with a length", () => new Response("x".repeat(5_000))],
  ["without one", () => new Response(new Blob(["x".repeat(5_000)]).stream())],
])("reads no more of an answer than its limit, %s", async (_name, answer) => {
  const { api } = await setUp(
    { "GET /health": answer },
    { limits: { answerBytes: 1_000, retryDelayMs: 10 } },
  );
  expect(await failureOf(api.health())).toBeInstanceOf(CoordinatorUnreachable);
});

it("parses each answer by its schema", async () => {
  const { api, identity } = await setUp({
    "POST /register": (call) => Response.json(registrationOf(call.peerId, Date.now())),
    "POST /transactions/submit": () =>
      Response.json({ results: [{ status: "settled", amount: 5 }] }),
    "GET /.well-known/jwks.json": () => Response.json(registrationOf("x", 0).jwks),
    "GET /v1/models": () => Response.json({ object: "list", data: [] }),
  });
  const registration = await api.register({});
  expect(registration.peer_id).toBe(identity.peerId);
  await expect(api.submit({ tickets: ["a.b.c"], receipts: ["a.b.c"] })).resolves.toEqual({
    results: [{ status: "settled", amount: 5 }],
  });
  await expect(api.jwks()).resolves.toEqual(registration.jwks);
  await expect(api.models()).resolves.toEqual({ object: "list", data: [] });
});
