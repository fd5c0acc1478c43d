import { createHash } from "node:crypto";
import { beforeEach, expect, inject, it } from "vitest";
import { httpCases } from "./cases/http";
import { postJson, userSays } from "./conformance-case";
import { forgetRequests, postsAtEngine } from "./engine-view";
import { exchange, exchangesOnOneConnection, type HttpRequest } from "./exchange";
import { headerValue } from "./http-parser";

const { words } = inject("benches");

beforeEach(() => forgetRequests(words));

function chat(headers: Readonly<Record<string, string>> = {}): HttpRequest {
  const body = { model: words.modelId, messages: userSays("hello"), max_tokens: 3 };
  return postJson("/v1/chat/completions", body, headers);
}

function sha256(body: Uint8Array | undefined): string {
  return createHash("sha256")
    .update(body ?? "")
    .digest("hex");
}

// An engine that refuses by the headers alone need not wait for the body.
const readCases = httpCases.filter(({ status }) => status === 200);

it.each(readCases)("every byte of the body reaches the engine: $name", async ({ request }) => {
  const sent = request(words.modelId);
  await exchange(words.proxiedUrl, sent);
  expect(await postsAtEngine(words)).toMatchObject([
    { isWhole: true, bodyBytes: sent.body?.length, bodySha256: sha256(sent.body) },
  ]);
});

it("path and query reach the engine as they were sent", async () => {
  const body = { model: words.modelId, messages: userSays("hello"), max_tokens: 3 };
  const target = "/v1/messages?beta=true&x=a%2Fb%20c&x=+&empty=";
  await exchange(words.proxiedUrl, postJson(target, body));
  expect(await postsAtEngine(words)).toMatchObject([{ target }]);
});

it("headers that mean something to an engine reach it", async () => {
  const headers = {
    accept: "text/event-stream",
    "content-type": "application/json; charset=utf-8",
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "a-2025-01-01,b-2025-02-02",
    "openai-beta": "responses=experimental",
    "x-stainless-lang": "js",
    "x-session-id": "s1",
    originator: "codex_cli_rs",
  };
  await exchange(words.proxiedUrl, chat(headers));
  const [received] = await postsAtEngine(words);
  for (const [name, value] of Object.entries(headers)) {
    expect([name, headerValue(received!, name)]).toEqual([name, value]);
  }
});

it("what is meant for the endpoint alone does not reach the engine", async () => {
  const kept = {
    authorization: "Bearer sk-user",
    "x-api-key": "sk-user",
    cookie: "a=b",
    origin: "http://localhost:3000",
    referer: "http://localhost:3000/page",
    "sec-fetch-mode": "cors",
    "sec-fetch-site": "cross-site",
    "proxy-authorization": "Basic eA==",
  };
  const answer = await exchange(words.proxiedUrl, chat(kept));
  expect(answer.status).toBe(200);
  const [received] = await postsAtEngine(words);
  const names = received?.headers.map(([name]) => name.toLowerCase()) ?? [];
  expect(Object.keys(kept).filter((name) => names.includes(name))).toEqual([]);
  expect(JSON.stringify(received)).not.toContain("sk-user");
});

it("one connection serves requests one after another, each once", async () => {
  const answers = await exchangesOnOneConnection(words.proxiedUrl, [chat(), chat(), chat()]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(await postsAtEngine(words)).toHaveLength(3);
});
