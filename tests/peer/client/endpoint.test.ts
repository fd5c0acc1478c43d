import { connect } from "node:net";
import { expect, it } from "vitest";
import { OpenAiError } from "#protocol/openai-error";
import { withoutLastWords } from "#support/last-words";
import {
  callsOf,
  CHAT,
  chatBody,
  clientNetwork,
  startClient,
  startWarm,
} from "./client-under-test";
import { openStream } from "./fake-node";

async function codeOf(answer: Response): Promise<string | null> {
  return OpenAiError.parse(await answer.json()).error.code;
}

/** What comes back for bytes as they are; ends when the other side closes, or with `until`. */
function raw(url: string, request: string | readonly Buffer[], until: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = "";
    const socket = connect(Number(new URL(url).port), "127.0.0.1", () => {
      for (const part of typeof request === "string" ? [request] : request) socket.write(part);
    });
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      if (!until.test(received)) return;
      socket.destroy();
      resolve(received);
    });
    socket.on("close", () => resolve(received));
    socket.on("error", (error) => (received === "" ? reject(error) : resolve(received)));
  });
}

it.each(["org/model:tag", "org%2Fmodel%3Atag", "org/model%3atag"])(
  "shows one model asked for as %s",
  async (id) => {
    const network = await clientNetwork();
    network.models = ["org/model:tag"];
    const client = await startClient(network);
    const answer = await client.get(`/v1/models/${id}`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ id: "org/model:tag", object: "model" });
  },
);

it("lists no models as an empty list", async () => {
  const network = await clientNetwork();
  network.models = [];
  const client = await startClient(network);
  expect(await (await client.get("/v1/models")).json()).toEqual({ object: "list", data: [] });
});

it("lists what it last knew while the coordinator is away", async () => {
  const { network, client } = await startWarm();
  const known = await (await client.get("/v1/models")).json();
  await network.coordinator[Symbol.asyncDispose]();
  expect(await (await client.get("/v1/models")).json()).toEqual(known);
});

it.each(["/", "/health", "/v1/models", "/v1/models?limit=1"])(
  "answers HEAD %s without a body",
  async (target) => {
    const { client } = await startWarm();
    const answer = await client.get(target, { method: "HEAD" });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe("");
  },
);

it.each([
  ["GET", "/nowhere", 404, "not_found"],
  ["GET", "/v1/responses/resp_1", 404, "not_found"],
  ["POST", "/v1/v1/chat/completions", 404, "not_found"],
  ["POST", "/chat/completions", 404, "not_found"],
  ["GET", "/v1/models/nobody-has-it", 404, "model_not_found"],
  ["DELETE", "/v1/models/m", 405, "method_not_allowed"],
  ["POST", "/v1/models", 405, "method_not_allowed"],
  ["PUT", CHAT, 405, "method_not_allowed"],
  ["POST", "/health", 405, "method_not_allowed"],
])("answers %s %s with %d in JSON", async (method, target, status, code) => {
  const { client } = await startWarm();
  const answer = await client.get(target, { method });
  expect(answer.status).toBe(status);
  if (status === 405) expect(answer.headers.get("allow")).toMatch(/OPTIONS/);
  expect(await codeOf(answer)).toBe(code);
});

const HALF = chatBody({ image: "A".repeat(400_000) }).slice(0, -1);

it.each([
  ["", ""],
  ["hello", "hello"],
  ["[]", "[]"],
  ["{}", "{}"],
  ['{"model":7}', '{"model":7}'],
  ["with a model inside only", '{"messages":[{"model":"inner"}]}'],
  ["that breaks off", chatBody().slice(0, -1)],
  ["that is large and breaks off", HALF],
])("refuses the body %s: it is not whole, or names no model", async (_, body) => {
  const { node, client } = await startWarm();
  const before = node.seen.all.length;
  const answer = await client.post({ body });
  expect(answer.status).toBe(400);
  expect(await codeOf(answer)).toBe("model_required");
  expect(node.seen.all).toHaveLength(before);
});

it.each([
  ["too long", "m".repeat(257)],
  ["empty", ""],
  ["of control characters", "a\nb"],
])("refuses a model's name that is %s, naming the field and not the value", async (_, model) => {
  const { network, client } = await startWarm();
  const calls = callsOf(network).length;
  const answer = await client.post({ body: chatBody({ model }) });
  expect(answer.status).toBe(400);
  const { error } = OpenAiError.parse(await answer.json());
  expect(error).toMatchObject({ code: "invalid_request", param: "model" });
  if (model !== "") expect(error.message).not.toContain(model);
  expect(callsOf(network)).toHaveLength(calls);
});

it("gives each refusal an id of its own, as it does each answer", async () => {
  const { client } = await startWarm();
  const answers = await Promise.all([
    client.post({ target: `${CHAT}?${"a".repeat(4_000)}` }),
    client.post({ body: "{}" }),
    client.post({ body: chatBody({ model: "a\nb" }) }),
    client.post({ body: chatBody({ model: "nobody-has-it" }) }),
    client.post(),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([414, 400, 400, 404, 200]);
  const ids = answers.map(({ headers }) => headers.get("x-troop-request-id"));
  for (const id of ids) expect(id).toMatch(/^[0-9a-f-]{36}$/);
  expect(new Set(ids).size).toBe(ids.length);
});

it("refuses a target that no proof could name", async () => {
  const { client } = await startWarm();
  const answer = await client.post({ target: `${CHAT}?${"a".repeat(4_000)}` });
  expect(answer.status).toBe(414);
  expect(await codeOf(answer)).toBe("invalid_request");
});

it("carries a long query, and no fragment, which a proof could not name either", async () => {
  const { node, client } = await startWarm();
  const query = `${CHAT}?${"a".repeat(3_900)}`;
  const body = chatBody();
  const head =
    `POST ${query}#part HTTP/1.1\r\nhost: localhost\r\n` +
    `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  expect(await raw(client.url, head, /"node"\}/)).toMatch(/^HTTP\/1\.1 200/);
  expect(node.seen.all.at(-1)?.target).toBe(query);
});

const TOO_MUCH = 129 * 1_024 * 1_024;

it("refuses a body that announces too much in JSON, before it is sent", async () => {
  const { client } = await startWarm();
  const head = `POST ${CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${TOO_MUCH}\r\n\r\n`;
  const answer = await raw(client.url, head, /request_too_large/);
  expect(answer).toMatch(/^HTTP\/1\.1 413/);
  expect(answer).toMatch(/content-type: application\/json/i);
});

it("refuses a body in chunks that turns out too large, in JSON", async () => {
  const { client } = await startWarm();
  const piece = Buffer.alloc(1_024 * 1_024, "x");
  const chunk = Buffer.concat([Buffer.from("100000\r\n"), piece, Buffer.from("\r\n")]);
  const head = `POST ${CHAT} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n`;
  const chunks = Array.from({ length: 129 }, () => chunk);
  const answer = await raw(client.url, [Buffer.from(head), ...chunks], /request_too_large/);
  expect(answer).toMatch(/^HTTP\/1\.1 413/);
});

it("carries 64 MB", async () => {
  const { node, client } = await startWarm((request) =>
    Response.json({ got: request.body.length }),
  );
  const body = chatBody({ image: "A".repeat(64 * 1_024 * 1_024) });
  const answer = await client.post({ body });
  expect(await answer.json()).toEqual({ got: body.length });
  expect(node.seen.all.at(-1)?.body.length).toBe(body.length);
});

it("says 100 Continue to who waits for it", async () => {
  const { client } = await startWarm();
  const body = chatBody();
  const head =
    `POST ${CHAT} HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\n` +
    `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  expect(await raw(client.url, head, /\r\n\r\n/)).toMatch(/^HTTP\/1\.1 100 Continue/);
});

it("answers HTTP/1.0, which names no host, and ends a stream of it with the connection", async () => {
  const { client } = await startWarm(() => {
    const stream = openStream();
    stream.write("data: 1\n\n");
    stream.end();
    return stream.response;
  });
  const body = chatBody({ stream: true });
  const head = `POST ${CHAT} HTTP/1.0\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  const answer = await raw(client.url, head, /never/);
  expect(answer).toMatch(/^HTTP\/1\.\d 200/);
  expect(answer).not.toMatch(/transfer-encoding/i);
  expect(withoutLastWords(answer).endsWith("\r\n\r\ndata: 1\n\n")).toBe(true);
});

it("keeps a connection in use after a refusal", async () => {
  const { client } = await startWarm();
  const get = (target: string) => `GET ${target} HTTP/1.1\r\nhost: localhost\r\n\r\n`;
  const answers = await raw(client.url, get("/nowhere") + get("/health"), /"endpoint"/);
  expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 404", "HTTP/1.1 200"]);
});

it("lets a page on this machine ask, with the headers that it wants", async () => {
  const { client } = await startWarm();
  const preflight = await client.get(CHAT, {
    method: "OPTIONS",
    headers: {
      origin: "http://localhost:3000",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,x-stainless-lang",
      "access-control-request-private-network": "true",
    },
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.toJSON()).toMatchObject({
    "access-control-allow-origin": "http://localhost:3000",
    "access-control-allow-headers": "authorization,x-stainless-lang",
    "access-control-allow-private-network": "true",
    "access-control-allow-methods": expect.stringContaining("POST") as string,
  });
  for (const answer of [
    await client.post({ headers: { origin: "http://localhost:3000" } }),
    await client.get("/nowhere", { headers: { origin: "http://localhost:3000" } }),
  ]) {
    expect(answer.headers.get("access-control-allow-origin")).toBe("http://localhost:3000");
  }
});

it("lets a page of an origin that its user has named ask", async () => {
  const origin = "chrome-extension://abc";
  const client = await startClient(await clientNetwork(), { origins: [origin] });
  const answer = await client.get("/v1/models", { headers: { origin } });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
  const headers = { origin: "chrome-extension://abcd" };
  expect((await client.get("/v1/models", { headers })).status).toBe(403);
});

const posted = (headers: string): string =>
  `POST ${CHAT} HTTP/1.1\r\nhost: localhost\r\n${headers}content-length: ${chatBody().length}\r\n\r\n${chatBody()}`;

it("takes headers of 16 KB, and answers more with the status that says so", async () => {
  const { client } = await startWarm();
  const padded = (bytes: number): string => posted(`x-padding: ${"x".repeat(bytes)}\r\n`);
  expect(await raw(client.url, padded(15_900), /\}$/)).toMatch(/^HTTP\/1\.1 200 /);
  expect(await raw(client.url, padded(16_400), /\r\n\r\n/)).toMatch(/^HTTP\/1\.1 431 /);
});

it.each([
  ["the next request does not wait for its answer", posted("") + posted(""), false],
  ["the app closes its side", posted(""), true],
] as const)("ends a connection where %s, and leaves the node", async (_, bytes, closes) => {
  const { node, client } = await startWarm(() => new Promise<Response>(() => {}));
  const before = node.seen.all.length;
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  let received = "";
  const socket = connect({ port: Number(new URL(client.url).port), allowHalfOpen: true }, () => {
    if (closes) socket.end(bytes);
    else socket.write(bytes);
  });
  socket.on("data", (chunk) => (received += chunk.toString()));
  socket.on("end", () => resolve(received));
  expect(await ended).toBe("");
  socket.destroy();
  await expect.poll(() => node.seen.all.slice(before).every(({ left }) => left.aborted)).toBe(true);
});

it("answers neither a page from elsewhere nor a name that points here from outside", async () => {
  const { node, client } = await startWarm();
  const before = node.seen.all.length;
  const fromPage = await client.post({ headers: { origin: "https://evil.example" } });
  expect(fromPage.status).toBe(403);
  expect(fromPage.headers.get("access-control-allow-origin")).toBeNull();
  const byName = await raw(
    client.url,
    "GET /v1/models HTTP/1.1\r\nhost: evil.example:9000\r\n\r\n",
    /\}$/,
  );
  expect(byName).toMatch(/^HTTP\/1\.1 403/);
  expect(node.seen.all).toHaveLength(before);
});
