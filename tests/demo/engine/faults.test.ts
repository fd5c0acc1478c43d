import { expect, it } from "vitest";
import { parseFault } from "#demo/engine/faults";
import { chunksOf, contentOf, dataOf, HELLO, post, running } from "./running-engine";

const CHAT = "/v1/chat/completions";
const STREAM = { messages: HELLO, stream: true };

it("resets the connection after the tokens that were agreed", async () => {
  const engine = running({ voice: "plain" });
  engine.setFault({ kind: "cut", after: 2 }, 1);
  const answer = await post(engine, CHAT, STREAM);
  const seen: string[] = [];
  const decoder = new TextDecoder();
  const reading = (async () => {
    for await (const chunk of answer.body ?? []) seen.push(decoder.decode(chunk));
  })();
  await expect(reading).rejects.toThrow(/ECONNRESET|closed/);
  expect(contentOf(dataOf(seen.join("")).map((json) => JSON.parse(json)))).toBe("This is");
  expect(engine.journal.entries().at(-1)).toMatchObject({ outcome: "broken", tokens: 2 });
  expect(engine.load().busy).toBe(0);
});

it("resets the connection in the middle of a body that is not streamed", async () => {
  const engine = running({ voice: "plain" });
  engine.setFault({ kind: "cut" });
  const reading = post(engine, CHAT, { messages: HELLO }).then((answer) => answer.text());
  await expect(reading).rejects.toThrow(/ECONNRESET|closed/);
});

it("stalls until the client leaves, and then has a free slot again", async () => {
  const engine = running({ voice: "plain" });
  const leave = new AbortController();
  const headers = { "x-demo-fault": "stall; after=1" };
  const answer = await post(engine, CHAT, STREAM, { headers, signal: leave.signal });
  const reader = answer.body?.getReader();
  const first = await reader?.read();
  expect(new TextDecoder().decode(first?.value)).toContain('"This"');
  expect(engine.load().busy).toBe(1);

  leave.abort();
  await engine.journal.until(({ outcome }) => outcome === "cancelled");
  expect(engine.load().busy).toBe(0);
});

it("puts a broken frame into an otherwise whole stream", async () => {
  const engine = running({ voice: "plain" });
  const headers = { "x-demo-fault": "malformed; after=1" };
  const data = dataOf(await (await post(engine, CHAT, STREAM, { headers })).text());
  const broken = data.filter((json) => json !== "[DONE]" && !isJson(json));
  expect(broken).toHaveLength(1);
  expect(data.at(-1)).toBe("[DONE]");
});

it("puts a comment into the stream, as llama.cpp does to keep it open", async () => {
  const engine = running({ voice: "llamacpp", deterministic: true });
  const plain = await (await post(engine, CHAT, STREAM)).text();
  const headers = { "x-demo-fault": "ping; after=2" };
  const text = await (await post(engine, CHAT, STREAM, { headers })).text();
  expect(text).toContain("\n\n:\n\ndata: ");
  expect(text.replace(":\n\n", "")).toBe(plain);
});

it("ends a stream in good order without a token in it", async () => {
  const engine = running({ voice: "lmstudio" });
  const headers = { "x-demo-fault": "empty" };
  const chunks = chunksOf(await (await post(engine, CHAT, STREAM, { headers })).text());
  expect(contentOf(chunks)).toBe("");
  expect(chunks).toHaveLength(1);
});

it("cuts frames and characters in pieces without changing a byte", async () => {
  const engine = running({ voice: "plain", deterministic: true, tokensPerAnswer: 60 });
  const whole = await (await post(engine, CHAT, STREAM)).bytes();
  const headers = { "x-demo-fault": "split; bytes=97" };
  const answer = await post(engine, CHAT, STREAM, { headers });
  const pieces: Uint8Array[] = [];
  for await (const chunk of answer.body ?? []) pieces.push(chunk);
  expect(Buffer.compare(Buffer.concat(pieces), whole)).toBe(0);
  expect(pieces.length).toBeGreaterThan(20);
});

it("waits with the first token as long as it is told", async () => {
  const engine = running({ voice: "plain" });
  const startMs = performance.now();
  const headers = { "x-demo-fault": "slow-first-token; ms=60" };
  await (await post(engine, CHAT, STREAM, { headers })).text();
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(59);
});

it("fails as many requests as it was told to, then none", async () => {
  const engine = running({ voice: "plain" });
  engine.setFault({ kind: "error", status: 429 }, 2);
  const statuses: number[] = [];
  for (let count = 0; count < 3; count += 1) {
    statuses.push((await post(engine, CHAT, { messages: HELLO })).status);
  }
  expect(statuses).toEqual([429, 429, 200]);
});

it("fails a request that is not streamed with the engine's own 500 instead of midway", async () => {
  const engine = running({ voice: "vllm" });
  engine.setFault({ kind: "error-midway" });
  const answer = await post(engine, CHAT, { messages: HELLO });
  expect(answer.status).toBe(500);
  expect(await answer.json()).toMatchObject({ error: { code: 500 } });
});

it("reads a fault from a header, and nothing from a header that names none", () => {
  expect(parseFault("cut; after=5")).toEqual({ kind: "cut", after: 5 });
  expect(parseFault("error")).toEqual({ kind: "error", status: 500 });
  expect(parseFault("error; status=99")).toBeNull();
  expect(parseFault("explode")).toBeNull();
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
