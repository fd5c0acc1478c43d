import { expect, it } from "vitest";
import { OpenAiError } from "#protocol/openai-error";
import { clientNetwork, startClient } from "../client-under-test";

const KEY = "sk-mine-0123456789";

const WRONG: readonly (readonly [what: string, headers: Record<string, string>, query: string])[] =
  [
    ["no key", {}, ""],
    ["another key", { authorization: "Bearer sk-other" }, ""],
    ["the key's beginning", { authorization: `Bearer ${KEY.slice(0, -1)}` }, ""],
    ["more than the key", { authorization: `Bearer ${KEY}x` }, ""],
    ["the key by HTTP Basic", { authorization: `Basic ${btoa(`:${KEY}`)}` }, ""],
    [
      "a wrong bearer beside the right x-api-key",
      { authorization: "Bearer no", "x-api-key": KEY },
      "",
    ],
    ["the key in the query", {}, `?api_key=${KEY}`],
  ];

it.each(WRONG)("refuses an app that shows %s, in OpenAI's shape", async (_what, headers, query) => {
  const client = await startClient(await clientNetwork(), { apiKey: KEY });
  for (const answer of [
    await client.get(`/v1/models${query}`, { headers }),
    await client.post({ headers }),
  ]) {
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    const { error } = OpenAiError.parse(await answer.json());
    expect(error.code).toBe("invalid_api_key");
    expect(JSON.stringify(error)).not.toContain(KEY);
  }
});

it.each([
  { authorization: `Bearer ${KEY}` },
  { authorization: `bearer  ${KEY}` },
  { "x-api-key": KEY },
  { "api-key": KEY },
])("takes the key where an SDK puts it: %j", async (headers) => {
  const client = await startClient(await clientNetwork(), { apiKey: KEY });
  expect((await client.get("/v1/models", { headers })).status).toBe(200);
});

it("asks for no key where a browser asks before it has one, nor for its health", async () => {
  const client = await startClient(await clientNetwork(), { apiKey: KEY });
  const preflight = await client.get("/v1/chat/completions", {
    method: "OPTIONS",
    headers: { origin: "http://localhost:3000", "access-control-request-headers": "authorization" },
  });
  expect(preflight.status).toBe(204);
  expect((await client.get("/health")).status).toBe(200);
});

it("takes any key, and none, where none is set", async () => {
  const client = await startClient(await clientNetwork());
  expect((await client.get("/v1/models")).status).toBe(200);
  const headers = { authorization: "Bearer anything" };
  expect((await client.get("/v1/models", { headers })).status).toBe(200);
});
