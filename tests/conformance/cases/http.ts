import { gzipSync, zstdCompressSync } from "node:zlib";
import { type ConformanceCase, postJson, userSays } from "../conformance-case";
import type { HttpRequest } from "../exchange";

const MEBIBYTE = 2 ** 20;
const chat = (model: string, extra: object = {}): HttpRequest =>
  postJson("/v1/chat/completions", {
    model,
    messages: userSays("hello"),
    max_tokens: 5,
    temperature: 0,
    seed: 7,
    ...extra,
  });
/** The bulk is in a field that the engine reads and ignores, after the fields that matter. */
const bigChat = (model: string, mebibytes: number): HttpRequest =>
  chat(model, { padding: "iVBORw0KGgo+".repeat((mebibytes * MEBIBYTE) / 12) });

export const httpCases: readonly ConformanceCase[] = [
  {
    name: "a request without a content type",
    engine: "words",
    request: (model) => ({ ...chat(model), headers: {} }),
    status: 200,
    holds: [],
  },
  {
    name: "a request in chunks, without a length",
    engine: "words",
    request: (model) => ({ ...chat(model), chunkBytes: 7 }),
    status: 200,
    holds: [],
  },
  {
    name: "a request whose client can decompress answers, which stay as they are",
    engine: "words",
    request: (model) =>
      withHeaders(chat(model, { stream: true }), {
        "accept-encoding": "gzip, deflate, br, zstd",
        accept: "text/event-stream",
      }),
    status: 200,
    holds: [],
  },
  {
    name: "a compressed body, which this engine refuses",
    engine: "words",
    request: (model) => compressed(chat(model)),
    status: 415,
    holds: [],
    isWordless: true,
  },
  {
    name: "a body that Codex would pack with zstd, which this engine refuses",
    engine: "words",
    request: (model) => ({
      ...withHeaders(chat(model), { "content-encoding": "zstd" }),
      body: new Uint8Array(zstdCompressSync(chat(model).body ?? "")),
    }),
    status: 415,
    holds: [],
    isWordless: true,
  },
  {
    name: "a form whose model comes behind its file, which this engine has no ears for",
    engine: "words",
    request: (model) => form(model),
    status: 501,
    holds: [],
  },
  {
    name: "a body of 25 MiB that waits for 100 Continue",
    engine: "words",
    request: (model) => withHeaders(bigChat(model, 25), { expect: "100-continue" }),
    status: 200,
    holds: [],
  },
  {
    name: "a body of 25 MiB in chunks",
    engine: "words",
    request: (model) => ({ ...bigChat(model, 25), chunkBytes: 65_536 }),
    status: 200,
    holds: [],
  },
  {
    name: "a body of 60 MiB",
    engine: "words",
    request: (model) => bigChat(model, 60),
    status: 200,
    holds: [],
  },
];

/** In the order and with the boundary of an app that is none of the usual ones. */
function form(model: string): HttpRequest {
  const boundary = "--------------a-boundary-of-its-own";
  const part = (disposition: string, content: string): string =>
    `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`;
  const text =
    part('name="file"; filename="a \u00e9.wav"', "RIFF".repeat(50_000)) +
    part('name="response_format"', "text") +
    part('name="model"', model) +
    `--${boundary}--\r\n`;
  return {
    method: "POST",
    target: "/v1/audio/transcriptions",
    headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
    body: new TextEncoder().encode(text),
  };
}

function compressed(request: HttpRequest): HttpRequest {
  const body = new Uint8Array(gzipSync(request.body ?? ""));
  return withHeaders({ ...request, body }, { "content-encoding": "gzip" });
}

function withHeaders(request: HttpRequest, headers: Readonly<Record<string, string>>): HttpRequest {
  return { ...request, headers: { ...request.headers, ...headers } };
}
