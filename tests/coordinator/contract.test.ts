import { describe, expect, it } from "vitest";
import { generatePrivateKey, openIdentity } from "#protocol/identity";
import { Problem, type ProblemCode } from "#protocol/problem";
import { useCoordinator } from "#support/coordinator";
import { type Call, newPeer, type TestPeer } from "#support/test-peer";

const coordinator = useCoordinator();

type Route = { readonly target: string; readonly body?: unknown; readonly method?: string };

const NETWORK = `net-${"0".repeat(26)}`;
const USER = `usr_${"0".repeat(26)}`;
const PROVEN: Route[] = [
  { target: "/register", body: {} },
  {
    target: "/heartbeat",
    body: {
      state: "serving",
      urls: ["http://127.0.0.1:1"],
      e2e_key: "the.nodes.key",
      models: [],
      withdrawn: [],
      running: 0,
      waiting: 0,
      concurrency: 1,
      version: "1",
    },
  },
  { target: "/authorize", body: { model: "m" } },
  { target: "/authorize/extend", body: { ticket: "x", add: 1 } },
  { target: "/transactions/submit", body: { tickets: ["x"], receipts: ["x"] } },
  { target: "/hardware" },
  { target: "/hardware/challenge", body: {} },
  {
    target: "/hardware/commit",
    body: {
      id: crypto.randomUUID(),
      part: "compute",
      rows: 1_024,
      root: "A".repeat(43),
    },
  },
  {
    target: "/hardware/verify",
    body: { id: crypto.randomUUID(), part: "compute", rows: "", leaves: "", path: "" },
  },
  { target: "/auth/device", body: {} },
  { target: "/auth/device/token", body: { device_code: "x" } },
  { target: "/nodes" },
  { target: "/peers?model=m" },
  { target: "/v1/models" },
  { target: `/users/${USER}/balance` },
  { target: "/networks" },
  { target: "/networks", body: { name: "team" } },
  { target: `/networks/${NETWORK}`, body: { credits: false }, method: "PATCH" },
  { target: `/networks/${NETWORK}/members` },
  { target: `/networks/${NETWORK}/members/${USER}`, method: "DELETE" },
  { target: `/networks/${NETWORK}/members/${USER}`, body: { role: "member" }, method: "PATCH" },
  { target: `/networks/${NETWORK}/invites` },
  {
    target: `/networks/${NETWORK}/invites`,
    body: { role: "member", uses: 1, expires_in_seconds: 60 },
  },
  { target: `/networks/${NETWORK}/invites/${crypto.randomUUID()}`, method: "DELETE" },
  { target: "/invites/accept", body: { code: "0".repeat(26) } },
  { target: `/users/${USER}/transactions?limit=5` },
  { target: `/users/${USER}/earnings?days=7` },
];

async function refusal(answer: Response): Promise<{ status: number; code: ProblemCode }> {
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  const { code, status, requestId } = Problem.parse(await answer.json());
  expect(answer.headers.get("x-request-id")).toBe(requestId);
  expect(answer.status).toBe(status);
  return { status, code };
}

const peer = (): Promise<TestPeer> => newPeer(coordinator().url);

describe.each(PROVEN)("$target", ({ target, ...route }) => {
  const call = async (wrong: Call) =>
    refusal(await (await peer()).call(target, { ...route, ...wrong }));

  it("refuses a request without a proof", async () => {
    const answer = await fetch(coordinator().url + target, {
      method: route.method ?? (route.body === undefined ? "GET" : "POST"),
      ...(route.body !== undefined && {
        body: JSON.stringify(route.body),
        headers: { "content-type": "application/json" },
      }),
    });
    expect(await refusal(answer)).toEqual({ status: 401, code: "proof_missing" });
  });

  it("refuses a proof made for another coordinator, path, method or body", async () => {
    const refused = { status: 401, code: "proof_invalid" };
    expect(await call({ proof: { audience: "https://other.example" } })).toEqual(refused);
    expect(await call({ proof: { target: "/health" } })).toEqual(refused);
    expect(await call({ proof: { method: "PUT" } })).toEqual(refused);
    expect(await call({ proof: { bodyHash: "A".repeat(43) } })).toEqual(refused);
  });

  it("tells a peer by how much its clock is off, and takes one that is off by less than 30 seconds", async () => {
    for (const offMs of [120_000, -120_000]) {
      const proof = { nowMs: Date.now() + offMs };
      const answer = await (await peer()).call(target, { ...route, proof });
      const { code, detail } = Problem.parse(await answer.json());
      expect(code).toBe("clock_skew");
      // Proofs tell their time in whole seconds.
      expect(detail).toMatch(/\b(119|12\d) seconds\b/);
    }
    const taken = await (
      await peer()
    ).call(target, {
      ...route,
      proof: { nowMs: Date.now() + 20_000 },
    });
    const { code } = taken.ok ? { code: "" } : Problem.parse(await taken.json());
    expect(code).not.toBe("clock_skew");
  });

  it("takes a proof once", async () => {
    const sender = await peer();
    const registration = await sender.register();
    const proof = { jti: crypto.randomUUID() };
    const headers = { "troop-enrolment": registration.enrolment };
    const first = await sender.call(target, { ...route, headers, proof });
    expect(first.status).not.toBe(401);
    const second = await sender.call(target, { ...route, headers, proof });
    const refusedForWhatItHolds = ["lease_not_found", "proof_replayed"];
    const { code } = await refusal(second);
    expect(target === "/authorize/extend" ? refusedForWhatItHolds : ["proof_replayed"]).toContain(
      code,
    );
  });

  it("refuses a peer that speaks another protocol version, and says how to go on", async () => {
    const answer = await (
      await peer()
    ).call(target, { ...route, headers: { "troop-protocol": "9" } });
    expect(await refusal(answer)).toEqual({ status: 426, code: "protocol_unsupported" });
  });
});

const BAD_BODIES = [
  ["/authorize", { model: "" }, "model"],
  ["/authorize", { model: "a\u0000b" }, "model"],
  ["/authorize", { model: "m", budget: -1 }, "budget"],
  ["/authorize", { model: "m", budget: 2 ** 53 }, "budget"],
  ["/authorize", { model: "m", budget: 0.5 }, "budget"],
  ["/heartbeat", { state: "asleep" }, "state"],
  ["/transactions/submit", { tickets: ["x"], receipts: [] }, "receipts"],
  ["/register", { name: 7 }, "name"],
] as const;

it.each(BAD_BODIES)(
  "%s names the field it refuses and not the value: %j",
  async (target, body, field) => {
    const answer = await (await peer()).call(target, { body });
    const said = Problem.parse(await answer.json());
    expect(said).toMatchObject({ status: 400, code: "request_invalid" });
    expect(said.fields).toContain(field);
    expect(JSON.stringify(said)).not.toContain("asleep");
  },
);

it.each(["", "{", "[]", "null", '"text"'])(
  "refuses the body %j as no request at all",
  async (text) => {
    for (const type of ["application/json", "text/plain"]) {
      const answer = await fetch(`${coordinator().url}/authorize`, {
        method: "POST",
        headers: { "content-type": type },
        body: text,
      });
      expect([400, 415]).toContain((await refusal(answer)).status);
    }
  },
);

it("refuses a body over a megabyte before reading it", async () => {
  const answer = await (
    await peer()
  ).call("/authorize", { body: { model: "m".repeat(1_100_000) } });
  expect(await refusal(answer)).toEqual({ status: 413, code: "body_too_large" });
});

it("refuses a proof that another key signed in a peer's name", async () => {
  const honest = await peer();
  const thief = await openIdentity(await generatePrivateKey());
  const identity = { ...honest.identity, sign: thief.sign };
  const answer = await honest.call("/nodes", { proof: { identity } });
  expect(await refusal(answer)).toEqual({ status: 401, code: "proof_invalid" });
});

it("answers 404 as a problem, echoes a sane request id and makes one for an insane one", async () => {
  const echoed = await fetch(`${coordinator().url}/nope`, {
    headers: { "x-request-id": "abc-12345" },
  });
  expect(echoed.headers.get("x-request-id")).toBe("abc-12345");
  expect(await refusal(echoed)).toEqual({ status: 404, code: "not_found" });
  const made = await fetch(`${coordinator().url}/nope`, {
    headers: { "x-request-id": "<script>" },
  });
  expect(made.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
});
