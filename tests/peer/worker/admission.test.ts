import { beforeAll, describe, expect, it } from "vitest";
import { generatePrivateKey, type Identity, openIdentity } from "#protocol/identity";
import { OpenAiError } from "#protocol/openai-error";
import { EMPTY_BODY_HASH } from "#protocol/proof";
import { SEALED_PATH } from "#protocol/sealed-message";
import { ISSUER, MODEL, signingKey } from "./fake-network";
import {
  CHAT,
  chatBody,
  engine,
  type Post,
  sealedPost,
  startWorker,
  type WorkerUnderTest,
} from "./worker-under-test";

type Case = readonly [
  promise: string,
  status: number,
  code: string,
  post: (worker: WorkerUnderTest) => Post | Promise<Post>,
];

const NOW_S = Math.floor(Date.now() / 1_000);
const impostor = await signingKey("key-1");
const unpublished = await signingKey("key-9");
let stranger: Identity;

beforeAll(async () => {
  stranger = await openIdentity(await generatePrivateKey());
});

const CASES: readonly Case[] = [
  ["no ticket at all", 401, "ticket_invalid", () => ({ ticket: "x" })],
  [
    "a ticket signed by somebody else under the coordinator's key id",
    401,
    "ticket_invalid",
    async (worker) => ({ ticket: await forged(worker, impostor) }),
  ],
  [
    "a ticket under a key that is not published",
    401,
    "ticket_invalid",
    async (worker) => ({ ticket: await forged(worker, unpublished) }),
  ],
  ["a ticket for other nodes", 401, "ticket_invalid", ticket({ aud: ["x".repeat(43)] })],
  ["another coordinator's ticket", 401, "ticket_invalid", ticket({ iss: "https://other.example" })],
  ["a ticket that has ended", 401, "ticket_invalid", ticket({ exp: NOW_S - 60, iat: NOW_S - 360 })],
  ["a ticket that is not valid yet", 401, "ticket_invalid", ticket({ nbf: NOW_S + 600 })],
  ["a ticket without a rate for this node", 401, "ticket_invalid", ticket({ rates: {} })],
  ["a stolen ticket", 401, "proof_invalid", () => ({ identity: stranger })],
  ["a proof for another path", 401, "proof_invalid", () => ({ proofTarget: "/tickets" })],
  [
    "a proof for another query",
    401,
    "proof_invalid",
    () => ({ proofTarget: `${SEALED_PATH}?a=1` }),
  ],
  ["a proof of another session", 401, "proof_invalid", () => ({ proofHash: EMPTY_BODY_HASH })],
  ["a session that nobody proved", 401, "session_unknown", () => ({ proof: false })],
  ["a body of another hash", 400, "invalid_request", () => ({ bodyHash: EMPTY_BODY_HASH })],
  ["a body longer than was said", 400, "invalid_request", () => ({ head: { length: 1 } })],
  ["a body shorter than was said", 400, "invalid_request", () => ({ head: { length: 9_999 } })],
  ["a body beyond all", 413, "request_too_large", () => ({ head: { length: 2 ** 40 } })],
  ["a head that is none", 400, "invalid_request", () => ({ head: { target: "no path" } })],
  [
    "a proof from a minute and a half ago",
    401,
    "proof_invalid",
    () => ({ nowMs: Date.now() - 91_000 }),
  ],
  ["a proof from the future", 401, "proof_invalid", () => ({ nowMs: Date.now() + 60_000 })],
  [
    "a body that names another model",
    400,
    "invalid_request",
    () => ({ body: chatBody({ model: "other" }) }),
  ],
  [
    "a body that names another model to engines that do not mind a key's letters",
    400,
    "invalid_request",
    () => ({ body: chatBody({ Model: "other" }) }),
  ],
  ["a body that names no model", 400, "model_required", () => ({ body: "{}" })],
  ["a model that it does not have", 404, "model_not_found", ticket({ model: "other" })],
  ["a lease with nothing on it", 402, "budget_exhausted", ticket({ budget: 0 })],
  ["a path that leaves /v1", 404, "not_found", () => ({ target: "/v1/%2e%2e/api/delete" })],
];

function ticket(claims: Parameters<WorkerUnderTest["ticket"]>[0]) {
  return async (worker: WorkerUnderTest): Promise<Post> => ({
    ticket: await worker.ticket(claims),
  });
}

function forged({ nodeId, network }: WorkerUnderTest, key: typeof impostor): Promise<string> {
  return key.sign({
    iss: ISSUER,
    sub: `usr_${"1".repeat(26)}`,
    cnf: { jkt: network.client.peerId },
    aud: [nodeId],
    jti: crypto.randomUUID(),
    iat: NOW_S,
    nbf: NOW_S,
    exp: NOW_S + 300,
    net: "public",
    model: MODEL,
    rates: { [nodeId]: 1 },
    budget: 1_000_000,
  });
}

describe("refuses, before the engine hears of it,", () => {
  it.each(CASES)("%s", async (_, status, code, post) => {
    const demo = engine();
    const worker = await startWorker({ engines: [demo.url] });
    const before = demo.journal.entries().filter(({ method }) => method === "POST").length;
    const answer = await worker.post(await post(worker));
    expect(answer.status).toBe(status);
    expect(OpenAiError.parse(await answer.json()).error.code).toBe(code);
    expect(answer.headers.get("troop-refusal")).toBe(code);
    expect(demo.journal.entries().filter(({ method }) => method === "POST")).toHaveLength(before);
    expect(worker.network.receipts.all).toEqual([]);
  });
});

it("takes a large body back that names another model in other letters", async () => {
  const demo = engine();
  const worker = await startWorker({ engines: [demo.url] });
  const body = chatBody({ MODEL: "other", padding: "x".repeat(400_000) });
  const answer = await worker.post({ body });
  expect(answer.status).toBe(400);
  expect(OpenAiError.parse(await answer.json()).error.param).toBe("model");
  await worker.stop();
  // The engine may have seen its beginning, but never the whole.
  const asked = demo.journal.entries().filter(({ path }) => path === CHAT);
  expect(asked.filter(({ bodyBytes }) => bodyBytes === body.length)).toEqual([]);
  expect(asked.map(({ outcome }) => outcome)).not.toContain("completed");
  expect(worker.network.receipts.all).toEqual([]);
});

it("takes a proof once, and a number of a lease once", async () => {
  const demo = engine();
  const worker = await startWorker({ engines: [demo.url] });
  const lease = await worker.ticket();
  const { headers, body } = await sealedPost(worker, { ticket: lease }, 1);
  const send = (headers: Record<string, string>) =>
    fetch(worker.ready.url + SEALED_PATH, { method: "POST", body, headers });

  const answers = await Promise.all([send(headers), send(headers), send(headers)]);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  await Promise.all(answers.map((answer) => answer.text()));
  // Signed anew, but with the same number.
  expect((await worker.post({ ticket: lease, seq: 1 })).status).toBe(401);
  // The same proof under another ticket of the same client.
  const other = { ...headers, "troop-ticket": await worker.ticket() };
  expect((await send(other)).status).toBe(401);
  expect(demo.journal.entries().filter(({ path }) => path === CHAT)).toHaveLength(1);
});

it("lets a request come again whose body was spoilt on its way", async () => {
  const worker = await startWorker({ engines: [engine().url] });
  const ticket = await worker.ticket();
  const { headers, body } = await sealedPost(worker, { ticket }, 5);
  body[100] = (body[100] ?? 0) ^ 1;
  const spoilt = await fetch(worker.ready.url + SEALED_PATH, { method: "POST", headers, body });
  expect(spoilt.status).toBe(400);
  const right = await worker.post({ ticket, seq: 5 });
  expect(right.status).toBe(200);
  await right.text();
});

it("takes the tickets of a key that the coordinator published meanwhile", async () => {
  const worker = await startWorker({ engines: [engine().url] });
  const next = await signingKey("key-2");
  worker.network.jwks = { keys: [worker.network.key.publicKey, next.publicKey] };
  const answer = await worker.post({ ticket: await forged(worker, next) });
  expect(answer.status).toBe(200);
  await answer.text();
});

it("asks the coordinator nothing while it serves", async () => {
  const worker = await startWorker({ engines: [engine().url] });
  const before = worker.network.coordinator.seen.length;
  await (await worker.post()).text();
  const asked = worker.network.coordinator.seen.slice(before).map(({ target }) => target);
  expect(asked.filter((target) => target !== "/transactions/submit")).toEqual([]);
});

it.each([
  ["GET", "/", 404, "not_found"],
  ["GET", "/v2/models", 404, "not_found"],
  ["GET", "/v1/models", 405, "method_not_allowed"],
  ["DELETE", "/v1/responses/1", 405, "method_not_allowed"],
  ["POST", CHAT, 404, "not_found"],
  ["POST", SEALED_PATH, 401, "ticket_missing"],
])("answers %s %s in OpenAI's shape", async (method, path, status, code) => {
  const worker = await startWorker({ engines: [engine().url] });
  const answer = await fetch(worker.ready.url + path, { method });
  expect(answer.status).toBe(status);
  expect(OpenAiError.parse(await answer.json()).error.code).toBe(code);
});

it("says on /health that it is there, and no more", async () => {
  const worker = await startWorker({ engines: [engine().url] });
  const answer = await fetch(`${worker.ready.url}/health`);
  expect(await answer.json()).toEqual({ status: "ok" });
});
