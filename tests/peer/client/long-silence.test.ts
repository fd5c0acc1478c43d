import { expect, it } from "vitest";
import { CHAT, chatBody, clientNetwork } from "./client-under-test";
import { type FakeNode, openStream } from "./fake-node";
import { handlerFor, type HandlerUnderTest } from "./handler-under-test";
import { withoutLastWords } from "#support/last-words";

const WAITING = ": waiting\n\n";
const EVENTS = 'data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: [DONE]\n\n';
const STREAM = chatBody({ stream: true });

/** Two nodes, the first of which answers when the test says so; and what an app has asked it. */
async function startSilent(body: string = STREAM, target: string = CHAT) {
  const network = await clientNetwork();
  const { promise, resolve } = Promise.withResolvers<Response>();
  const node: FakeNode = await network.addNode(() => promise);
  const other = await network.addNode();
  const client: HandlerUnderTest = await handlerFor(network);
  let answered: Response | undefined;
  const posted = client.post(body, target).then((answer) => (answered = answer));
  await node.seen.until(() => true);
  return { node, other, client, posted, say: resolve, hasAnswer: () => answered !== undefined };
}

function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Reads as an app does, and says what has come so far. */
function reading(answer: Response): { text: () => string; readonly ended: Promise<void> } {
  let text = "";
  const read = async (): Promise<void> => {
    for await (const chunk of answer.body ?? []) text += Buffer.from(chunk).toString();
  };
  return { text: () => text, ended: read() };
}

it("begins the stream once no other node will be tried, and keeps it open with comments for two hours", async () => {
  const { node, client, posted, say, hasAnswer, other } = await startSilent();
  client.wait(29);
  await settled();
  expect(hasAnswer()).toBe(false);
  client.wait(1);
  const answer = await posted;
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("text/event-stream");
  expect(answer.headers.get("x-troop-request-id")).toBeTruthy();
  const app = reading(answer);
  await expect.poll(app.text).toBe(WAITING);
  for (let times = 1; times <= (2 * 60 * 60) / 15; times++) {
    client.wait(14);
    await settled();
    expect(app.text()).toBe(WAITING.repeat(times));
    client.wait(1);
    await expect.poll(app.text, { interval: 0 }).toBe(WAITING.repeat(times + 1));
  }
  say(new Response(EVENTS, { headers: { "content-type": "text/event-stream" } }));
  await app.ended;
  const [comment = "", rest] = app.text().replaceAll(WAITING, "").split("\n\ndata");
  expect(`data${app.text().split("\n\ndata").slice(1).join("\n\ndata")}`).toBe(EVENTS);
  expect(rest).toBeDefined();
  expect(comment).toMatch(
    new RegExp(
      `^: x-troop-node: ${node.id}\n: x-troop-attempts: 1\n: x-troop-overhead-ms: [\\d.]+\n: x-troop-credits: [\\d.]+$`,
    ),
  );
  expect(other.seen.all).toEqual([]);
});

it("waits in silence for what is no stream, for as long as it takes", async () => {
  const { client, posted, say, hasAnswer } = await startSilent(chatBody());
  client.wait(7_200);
  await settled();
  expect(hasAnswer()).toBe(false);
  say(Response.json({ late: true }));
  expect(await (await posted).json()).toEqual({ late: true });
});

it.each([
  [CHAT, /data: \{"error":\{.*"code":"engine_error".*\}\}\n\ndata: \[DONE\]\n\n$/],
  ["/v1/responses", /event: response\.failed\ndata: .*"message":"No room\."/],
  ["/v1/messages", /event: error\ndata: \{"type":"error".*"message":"No room\."/],
] as const)("tells of an error that comes late in the shape of %s", async (target, shape) => {
  const { client, posted, say } = await startSilent(STREAM, target);
  client.wait(30);
  const answer = await posted;
  const error = { message: "No room.", type: "server_error", param: null, code: "no_room" };
  say(Response.json({ error }, { status: 400 }));
  const text = await answer.text();
  expect(text.startsWith(WAITING)).toBe(true);
  expect(text).toMatch(shape);
});

it("tells of a late answer that is no stream", async () => {
  const { client, posted, say } = await startSilent();
  client.wait(30);
  const answer = await posted;
  say(Response.json({ choices: [] }));
  expect(await answer.text()).toContain("not with the stream that was asked for");
});

it("goes to the next node before that, and to none after it", async () => {
  const early = await startSilent();
  early.client.wait(29);
  early.say(Response.json({}, { status: 500 }));
  expect(await (await early.posted).json()).toEqual({ from: "node" });
});

it("leaves the node when the app leaves while it waits", async () => {
  const network = await clientNetwork();
  const node = await network.addNode(() => new Promise<Response>(() => {}));
  const client = await handlerFor(network);
  const leaving = new AbortController();
  const posted = client.post(STREAM, CHAT, leaving.signal);
  const { left } = await node.seen.until(() => true);
  client.wait(30);
  const answer = await posted;
  const app = reading(answer);
  await expect.poll(app.text).toBe(WAITING);
  leaving.abort();
  await expect.poll(() => left.aborted).toBe(true);
});

it("puts comments into a stream that falls silent, and none into an event or before its time", async () => {
  const network = await clientNetwork();
  const stream = openStream();
  await network.addNode(() => stream.response);
  const client = await handlerFor(network);
  stream.write("data: 1\n\n");
  const app = reading(await client.post(STREAM));
  await expect.poll(app.text).toBe("data: 1\n\n");
  client.wait(14);
  stream.write("data: 2\n\n");
  await expect.poll(app.text).toContain("data: 2\n\n");
  client.wait(14);
  await settled();
  expect(app.text()).toBe("data: 1\n\ndata: 2\n\n");
  client.wait(1);
  await expect.poll(app.text).toBe(`data: 1\n\ndata: 2\n\n${WAITING}`);
  stream.write("data: half");
  await expect.poll(app.text).toContain("half");
  client.wait(60);
  stream.write(" 3\n\ndata: [DONE]\n\n");
  stream.end();
  await app.ended;
  client.wait(60);
  expect(withoutLastWords(app.text())).toBe(
    `data: 1\n\ndata: 2\n\n${WAITING}data: half 3\n\ndata: [DONE]\n\n`,
  );
});

it("leaves the node when the app stops reading what came late", async () => {
  const { node, client, posted, say } = await startSilent();
  client.wait(30);
  const answer = await posted;
  const stream = openStream();
  stream.write("data: 1\n\n");
  say(stream.response);
  const reader = answer.body?.getReader();
  let text = "";
  while (!text.includes("data: 1")) {
    text += Buffer.from((await reader?.read())?.value ?? []).toString();
  }
  await reader?.cancel();
  await expect.poll(() => node.seen.all[0]?.left.aborted).toBe(true);
});
