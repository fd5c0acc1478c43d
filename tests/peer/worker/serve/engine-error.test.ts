import { describe, expect, it } from "vitest";
import type { ServerResponse } from "node:http";
import { OpenAiError } from "#protocol/openai-error";
import { scriptedEngine } from "../scripted-engine";
import { startWorker } from "../worker-under-test";

const JSON_TYPE = { "content-type": "application/json" };
const HTML = "<!doctype html><html><body><h1>413 Request Entity Too Large</h1></body></html>";

async function answerTo(say: (response: ServerResponse) => void, target?: string) {
  const worker = await startWorker({ engines: [await scriptedEngine(say)] });
  const answer = await worker.post(target === undefined ? {} : { target });
  return { answer, text: await answer.text(), worker };
}

describe("an engine's error reaches the app in OpenAI's shape, with its status:", () => {
  it.each([
    ["vLLM's string", 401, JSON_TYPE, `{"error":"Unauthorized"}`, "Unauthorized"],
    ["an older vLLM's", 400, JSON_TYPE, `{"object":"error","message":"too long"}`, "too long"],
    [
      "a framework's",
      404,
      JSON_TYPE,
      `{"detail":"Not Found"}`,
      "The engine does not offer this path: Not Found",
    ],
    [
      "a framework's list",
      422,
      JSON_TYPE,
      `{"detail":[{"loc":["body"],"msg":"missing"}]}`,
      `[{"loc":["body"],"msg":"missing"}]`,
    ],
    ["a text", 400, { "content-type": "text/plain" }, "bad things\n", "bad things"],
    [
      "a path unknown",
      404,
      {},
      "404 page not found\n",
      "The engine does not offer this path: 404 page not found",
    ],
    ["a page", 413, { "content-type": "text/html" }, HTML, "The engine answered with 413."],
    ["nothing", 403, {}, "", "The engine answered with 403."],
    ["JSON without a word", 500, JSON_TYPE, "[]", "The engine answered with 500."],
    ["more than any error is", 500, {}, "x".repeat(600_000), "The engine answered with 500."],
  ])("%s", async (_, status, headers, body, message) => {
    const { answer, text, worker } = await answerTo((response) =>
      response
        .writeHead(status, { ...headers, "retry-after": "7", "x-should-retry": "false" })
        .end(body),
    );
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([status, "7"]);
    expect(answer.headers.get("x-should-retry")).toBe("false");
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("troop-refusal")).toBeNull();
    const { error } = OpenAiError.parse(JSON.parse(text));
    expect(error).toMatchObject({ message, code: "engine_error", param: null });
    const receipt = await worker.network.receipts.until(() => true);
    expect(receipt.outcome).toBe(status >= 500 ? "engine_error" : "completed");
  });
});

it.each([
  `{"error":{"message":"no", "type":"BadRequestError","param":null,"code":400}}\n`,
  `{"type":"error","error":{"type":"invalid_request_error","message":"no"}}`,
])("an error that has the shape of its API stays as it is, in pieces or not: %s", async (body) => {
  for (const cut of [body.length, 9]) {
    const { answer, text } = await answerTo((response) => {
      response.writeHead(400, { "content-type": "application/json; charset=utf-8", "x-a": "1" });
      response.write(body.slice(0, cut));
      setImmediate(() => response.end(body.slice(cut)));
    });
    expect([answer.status, text]).toEqual([400, body]);
    expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(answer.headers.get("x-a")).toBe("1");
  }
});

it("an error of /v1/messages gets Anthropic's shape", async () => {
  const say = (response: ServerResponse) => response.writeHead(500).end("out of memory");
  const { text } = await answerTo(say, "/v1/messages?beta=true");
  expect(JSON.parse(text)).toEqual({
    type: "error",
    error: { type: "api_error", message: "out of memory" },
  });
});

it("an error that breaks off in the middle is told as such", async () => {
  const { answer, text, worker } = await answerTo((response) => {
    response.writeHead(500, { "content-length": "100" });
    response.write("half", () => response.destroy());
  });
  expect(answer.status).toBe(502);
  expect(OpenAiError.parse(JSON.parse(text)).error.code).toBe("engine_error");
  expect((await worker.network.receipts.until(() => true)).outcome).toBe("engine_error");
});

it("an error in a packed body stays as it is", async () => {
  const packed = Bun.gzipSync(`{"error":"full"}`);
  const url = await scriptedEngine((response) =>
    response.writeHead(503, { ...JSON_TYPE, "content-encoding": "gzip" }).end(packed),
  );
  const answer = await (await startWorker({ engines: [url] })).post();
  expect([answer.status, answer.headers.get("content-encoding")]).toEqual([503, "gzip"]);
  expect(new Uint8Array(await answer.arrayBuffer())).toEqual(packed);
});

it("a stream of events that comes with an error's status stays one", async () => {
  const event = `event: error\ndata: {"error":"no"}\n\n`;
  const { answer, text } = await answerTo((response) =>
    response.writeHead(500, { "content-type": "text/event-stream" }).end(event),
  );
  expect(answer.status).toBe(500);
  expect(text.startsWith(event)).toBe(true);
});

it("an engine that would switch to another protocol is a broken one, and nobody waits for it", async () => {
  const url = await scriptedEngine((response) => {
    response.socket?.write(
      "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n",
    );
  });
  const worker = await startWorker({ engines: [url] });
  const answer = await worker.post({ headers: { connection: "Upgrade", upgrade: "websocket" } });
  expect(answer.status).toBe(502);
  expect(OpenAiError.parse(await answer.json()).error.code).toBe("engine_error");
  expect((await worker.network.receipts.until(() => true)).outcome).toBe("engine_error");
});

it("a client that leaves while an error comes ends it", async () => {
  const leaving = new AbortController();
  const url = await scriptedEngine((response) => {
    response.writeHead(500, { "content-length": "100" });
    response.write("half", () => leaving.abort());
  });
  const worker = await startWorker({ engines: [url] });
  await worker.post({ signal: leaving.signal }).catch(() => undefined);
  expect((await worker.network.receipts.until(() => true)).outcome).toBe("cancelled");
});
