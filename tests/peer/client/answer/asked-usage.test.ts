import { expect, it } from "vitest";
import { askForUsage, countsWhenAsked } from "#peer/client/answer/asked-usage";
import { hashBody } from "#protocol/proof";

const JSON_TYPE = { "content-type": "application/json" };
const asked = (body: string, headers: Record<string, string> = JSON_TYPE) =>
  askForUsage(new Headers(headers), Buffer.from(body));

it("puts one field in front of all others, and hashes what it made", async () => {
  const body =
    '{ "model" : "m", "stream"\n: true , "messages":[{"content":"\\"stream\\":false {["}]}';
  const made = asked(body);
  const text = Buffer.from(made?.body ?? []).toString();
  expect(text).toBe(`{"stream_options":{"include_usage":true},${body.slice(1)}`);
  expect(JSON.parse(text)).toEqual({
    ...(JSON.parse(body) as object),
    stream_options: { include_usage: true },
  });
  expect(made?.bodyHash).toBe(await hashBody(made?.body ?? new Uint8Array()));
});

it.each([
  ["says itself what it wants", '{"stream":true,"stream_options":{"include_usage":false}}'],
  ["asks for nothing of the kind", '{"stream_options":{},"stream":true}'],
  ["asks for no stream", '{"stream":false}'],
  ["asks for none itself", '{"a":{"stream":true}}'],
  ["says so in a text", JSON.stringify({ a: '"stream":true', b: ["stream", true] })],
  ["is no object", '[{"stream":true}]'],
  ["is empty", ""],
] as const)("leaves a body alone that %s", (_, body) => {
  expect(asked(body)).toBeUndefined();
});

it("leaves packed and huge bodies alone", () => {
  expect(asked('{"stream":true}', { "content-encoding": "gzip" })).toBeUndefined();
  expect(asked(`{"stream":true,"a":"${"x".repeat(1_048_576)}"}`)).toBeUndefined();
});

it("asks only engines and APIs that answer with one event at the end", () => {
  const chat = "/v1/chat/completions";
  expect(countsWhenAsked("vllm", `${chat}?a=b`)).toBe(true);
  expect(countsWhenAsked("vllm", "/v1/completions")).toBe(true);
  expect(countsWhenAsked("ollama", chat)).toBe(true);
  expect(countsWhenAsked("ollama", "/v1/completions")).toBe(false);
  expect(countsWhenAsked("llamacpp", chat)).toBe(false);
  expect(countsWhenAsked("openai", chat)).toBe(false);
  expect(countsWhenAsked("vllm", "/v1/responses")).toBe(false);
});
