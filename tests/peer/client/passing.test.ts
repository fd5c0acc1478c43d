import { expect, it } from "vitest";
import { CHAT, chatBody, clientNetwork, MODEL, startClient, startWarm } from "./client-under-test";
import { openStream } from "./fake-node";
import { hashBody } from "#protocol/proof";
import { textOfStream, withoutLastWords } from "#support/last-words";

it("carries every field of the app's request to the node, byte for byte", async () => {
  const { node, client } = await startWarm();
  const body = `{ "stream":false,\n "unknown_field": 1.50, "model" :"${MODEL}", "é": "\\u00e9" }`;
  await client.post({ body });
  expect(Buffer.from(node.seen.all.at(-1)?.body ?? []).toString()).toBe(body);
});

it.each([
  "/v1/completions",
  "/v1/embeddings",
  "/v1/responses",
  "/v1/messages?beta=true",
  "/v1/rerank?top%5Fn=3&x=a/b",
])("carries POST %s, path and query as they came", async (target) => {
  const { node, client } = await startWarm();
  const answer = await client.post({ target });
  expect(answer.status).toBe(200);
  expect(node.seen.all.at(-1)).toMatchObject({ method: "POST", target });
});

it("carries a form whose model comes behind the file, with its boundary and order", async () => {
  const { node, client } = await startWarm();
  const file = "RIFF\r\n--not-the-boundary\r\n";
  const body =
    `--b0undary\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n${file}\r\n` +
    `--b0undary\r\ncontent-disposition: form-data; name="model"\r\n\r\n${MODEL}\r\n--b0undary--\r\n`;
  const contentType = "multipart/form-data; boundary=b0undary";
  await client.post({
    target: "/v1/audio/transcriptions",
    body,
    headers: { "content-type": contentType },
  });
  const seen = node.seen.all.at(-1);
  expect(seen?.headers.get("content-type")).toBe(contentType);
  expect(Buffer.from(seen?.body ?? []).toString()).toBe(body);
});

it.each([
  ["subtitles", "text/vtt", "WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"],
  ["plain text", "text/plain; charset=utf-8", "Hello"],
  [
    "a stream that knows no [DONE]",
    "text/event-stream",
    'data: {"type":"transcript.text.done"}\n\n',
  ],
])("gives the app %s of a transcription as it is", async (_, type, text) => {
  const { client } = await startWarm(() => {
    const stream = openStream(type);
    stream.write(text.slice(0, 9));
    setImmediate(() => {
      stream.write(text.slice(9));
      stream.end();
    });
    return stream.response;
  });
  const answer = await client.post({
    target: "/v1/audio/transcriptions",
    body: `--b\r\ncontent-disposition: form-data; name="model"\r\n\r\n${MODEL}\r\n--b--\r\n`,
    headers: { "content-type": "multipart/form-data; boundary=b" },
  });
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, type]);
  expect(textOfStream(await answer.text())).toBe(text);
});

it.each(["gzip", "zstd"] as const)(
  "leaves a %s body packed, and finds its model",
  async (encoding) => {
    const { node, client } = await startWarm();
    const plain = Buffer.from(chatBody());
    const body =
      encoding === "gzip" ? Bun.gzipSync(plain) : Uint8Array.from(Bun.zstdCompressSync(plain));
    const answer = await client.post({ body, headers: { "content-encoding": encoding } });
    expect(answer.status).toBe(200);
    const seen = node.seen.all.at(-1);
    expect(seen?.headers.get("content-encoding")).toBe(encoding);
    expect(seen?.body).toEqual(new Uint8Array(body));
  },
);

it("takes a body without a content type for JSON", async () => {
  const { node, client } = await startWarm();
  const answer = await fetch(client.url + CHAT, { method: "POST", body: Buffer.from(chatBody()) });
  expect(answer.status).toBe(200);
  expect(node.seen.all.at(-1)?.headers.get("content-type")).toBeNull();
});

it("never shows a node who the app's user is or where the app runs", async () => {
  const { node, client } = await startWarm();
  const secret = {
    authorization: "Bearer sk-secret",
    "x-api-key": "sk-secret",
    "api-key": "sk-secret",
    cookie: "session=secret",
    origin: "http://localhost:3000",
    referer: "http://localhost:3000/secret",
    "sec-fetch-site": "same-site",
    "openai-organization": "org-secret",
    "x-forwarded-for": "192.0.2.1",
  };
  const passes = { "x-stainless-lang": "js", "anthropic-beta": "tools-1", "x-session-id": "7" };
  const answer = await client.post({ headers: { ...secret, ...passes } });
  expect(answer.status).toBe(200);
  const headers = node.seen.all.at(-1)?.headers;
  for (const name of Object.keys(secret)) expect(headers?.get(name)).toBeNull();
  expect(headers?.toJSON()).toMatchObject(passes);
});

it("asks for no key, and takes any", async () => {
  const { client } = await startWarm();
  for (const authorization of ["Bearer anything", "Bearer", "Basic eDp5"]) {
    expect((await client.post({ headers: { authorization } })).status).toBe(200);
  }
});

it("gives the app the node's status, headers and bytes, packed as they are", async () => {
  const packed = Bun.gzipSync(Buffer.from(`{"error":"from the engine"}`));
  const { client, node } = await startWarm(
    () =>
      new Response(packed, {
        status: 404,
        headers: {
          "content-type": "application/json",
          "content-encoding": "gzip",
          "x-engine": "one",
          "troop-secret": "between peers",
        },
      }),
  );
  const answer = await fetch(client.url + CHAT, {
    method: "POST",
    body: chatBody(),
    decompress: false,
  } as RequestInit);
  expect(answer.status).toBe(404);
  expect(new Uint8Array(await answer.arrayBuffer())).toEqual(new Uint8Array(packed));
  expect(answer.headers.get("x-engine")).toBe("one");
  expect(answer.headers.get("troop-secret")).toBeNull();
  expect(answer.headers.get("x-troop-node")).toBe(node.id);
  expect(answer.headers.get("x-troop-attempts")).toBe("1");
  expect(answer.headers.get("x-troop-request-id")).toMatch(/^[0-9a-f-]{36}$/);
});

it("passes each piece of a stream on before the next one comes", async () => {
  const stream = openStream();
  const { client } = await startWarm(() => stream.response);
  stream.write(": hello\r\n\r\n");
  const answer = await client.post();
  const reader = answer.body?.getReader();
  const pieces = [": hello\r\n\r\n", 'data: {"a":"é', '"}\n\ndata: ', "[DONE]\n\n"];
  for (const [place, piece] of pieces.entries()) {
    if (place > 0) stream.write(piece);
    const read = await reader?.read();
    expect(Buffer.from(read?.value ?? []).toString()).toBe(piece);
  }
  stream.end();
  const { value } = (await reader?.read()) ?? {};
  expect(withoutLastWords(Buffer.from(value ?? []).toString())).toBe("");
  expect((await reader?.read())?.done).toBe(true);
});

it("asks for the tokens of a stream where the app did not, and takes the answer to that out again", async () => {
  const count = 'data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}\n\n';
  const words = 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n';
  const { network, node, client } = await startWarm(() => {
    const stream = openStream();
    for (const text of [words, count, "data: [DONE]\n\n"]) stream.write(text);
    stream.end();
    return stream.response;
  });
  const plain = `{ "stream": true, "model": "${MODEL}", "é": "\\u00e9" }`;
  const shown = await (await client.post({ body: plain })).text();
  expect(withoutLastWords(shown)).toBe(`${words}data: [DONE]\n\n`);
  const sent = Buffer.from(node.seen.all.at(-1)?.body ?? []).toString();
  expect(sent).toBe(`{"stream_options":{"include_usage":true},${plain.slice(1)}`);
  const ack = await network.acks.until(({ completion_tokens: tokens }) => tokens === 2);
  expect(ack).toMatchObject({ prompt_tokens: 7, request_hash: await hashBody(Buffer.from(sent)) });

  // Who asks gets it, and who says no gets what the engine gives.
  for (const include_usage of [true, false]) {
    const body = chatBody({ stream: true, stream_options: { include_usage } });
    expect(withoutLastWords(await (await client.post({ body })).text())).toContain(count);
    expect(Buffer.from(node.seen.all.at(-1)?.body ?? []).toString()).toBe(body);
  }
});

it("says what an answer cost, how long the client itself took, and no price where there is none", async () => {
  const { client } = await startWarm();
  const { headers } = await client.post();
  expect(headers.get("x-troop-credits")).toMatch(/^\d+(?:\.\d+)?$/);
  expect(Number(headers.get("x-troop-credits"))).toBeGreaterThan(0);
  expect(headers.get("x-troop-overhead-ms")).toMatch(/^\d+\.\d\d$/);
  const listed = await client.get("/v1/models");
  expect(listed.headers.get("x-troop-credits")).toBeNull();
});

it("answers who asks before it is enrolled", async () => {
  const network = await clientNetwork();
  await network.addNode();
  const register = network.coordinator.answers["POST /register"];
  const gate = Promise.withResolvers<void>();
  network.coordinator.answers["POST /register"] = async (call) => {
    await gate.promise;
    return register?.(call) ?? new Response(null, { status: 500 });
  };
  const client = await startClient(network);
  const early = client.post();
  gate.resolve();
  expect((await early).status).toBe(200);
});
