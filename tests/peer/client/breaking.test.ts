import { connect } from "node:net";
import { expect, it } from "vitest";
import { chatBody, startWarm } from "./client-under-test";
import { openStream } from "./fake-node";

/** The text of a stream whose node sends this and then breaks the connection. */
async function brokenAfter(sent: string, target: string): Promise<string> {
  const stream = openStream();
  const { client } = await startWarm(() => stream.response);
  stream.write(sent);
  const answer = await client.post({ target });
  expect(answer.status).toBe(200);
  stream.reset();
  return answer.text();
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

it.each(["/v1/chat/completions", "/v1/completions"])(
  "ends a broken stream of %s with an error and [DONE], once",
  async (target) => {
    const text = await brokenAfter('data: {"choices":[]}\n\n', target);
    const [first, error, done, rest] = text.split("\n\n");
    expect(first).toBe('data: {"choices":[]}');
    expect(JSON.parse(error?.replace("data: ", "") ?? "")).toMatchObject({
      error: { code: "stream_broken" },
    });
    expect([done, rest]).toEqual(["data: [DONE]", ""]);
    expect(count(text, "stream_broken")).toBe(1);
  },
);

it("ends a broken stream of /v1/responses with response.failed, counted on and named", async () => {
  const created = { type: "response.created", sequence_number: 6, response: { id: "resp_1" } };
  const text = await brokenAfter(
    `event: response.created\ndata: ${JSON.stringify(created)}\n\n`,
    "/v1/responses",
  );
  const [, failed = ""] = text.split("\n\n");
  expect(failed).toMatch(/^event: response\.failed\n/);
  expect(JSON.parse(failed.split("data: ")[1] ?? "")).toMatchObject({
    type: "response.failed",
    sequence_number: 7,
    response: { id: "resp_1", status: "failed", error: { code: "stream_broken" } },
  });
});

it("ends a broken stream of /v1/messages with its error event", async () => {
  const text = await brokenAfter("event: message_start\ndata: {}\n\n", "/v1/messages?beta=true");
  expect(text.split("\n\n")[1]).toMatch(/^event: error\ndata: \{"type":"error"/);
});

it("begins its error on a new event where the stream broke inside of one", async () => {
  const text = await brokenAfter('data: {"choices":[{"del', "/v1/chat/completions");
  expect(text).toMatch(/^data: \{"choices":\[\{"del\n\ndata: \{"error":/);
});

it("adds nothing to a stream that has told of its error itself", async () => {
  const told = 'data: {"error":{"message":"engine died"}}\n\n';
  expect(await brokenAfter(told, "/v1/chat/completions")).toBe(told);
});

it("adds nothing to a stream that had come to its end", async () => {
  const whole = "data: {}\n\ndata: [DONE]\n\n";
  expect(await brokenAfter(whole, "/v1/chat/completions")).toBe(whole);
});

it.each([
  ["audio/mpeg", {}],
  ["text/event-stream", { "content-encoding": "gzip" }],
] as const)("breaks the connection where an answer of %s breaks off", async (contentType, more) => {
  const stream = openStream(contentType);
  const { client } = await startWarm(() => {
    for (const [name, value] of Object.entries(more)) stream.response.headers.set(name, value);
    return stream.response;
  });
  stream.write('{"half":');
  const { port } = new URL(client.url);
  const body = chatBody();
  const text = await new Promise<string>((resolve) => {
    let received = "";
    const socket = connect(Number(port), "127.0.0.1", () => {
      socket.write(
        `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n` +
          `content-length: ${body.length}\r\n\r\n${body}`,
      );
    });
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      if (received.includes("half")) stream.reset();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(received));
  });
  expect(text).toMatch(/^HTTP\/1\.1 200/);
  expect(text).toContain('{"half":');
  // The last chunk of a whole answer has length 0.
  expect(text).not.toContain("\r\n0\r\n");
});

it("gives the app what it held back of a stream that breaks, then the error", async () => {
  const stream = openStream();
  const { client } = await startWarm(() => stream.response);
  const part = 'data: {"choices":[],"us';
  stream.write(`data: {"choices":[{}]}\n\n${part}`);
  const answer = await client.post({ body: chatBody({ stream: true }) });
  stream.reset();
  const text = await answer.text();
  expect(text).toMatch(
    /^data: \{"choices":\[\{\}\]\}\n\ndata: \{"choices":\[\],"us\n\ndata: \{"error"/,
  );
  expect(text).toContain("stream_broken");
});
