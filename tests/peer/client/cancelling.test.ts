import { expect, it } from "vitest";
import { type ClientUnderTest, clientNetwork, startClient, startWarm } from "./client-under-test";
import { type FakeNode, openStream } from "./fake-node";
import { withoutLastWords } from "#support/last-words";

/** Resolves when the node notices that the client has gone. */
function leftBy(node: FakeNode): Promise<void> {
  const request = node.seen.all.at(-1);
  return new Promise((resolve) => {
    if (request?.left.aborted === true) resolve();
    else request?.left.addEventListener("abort", () => resolve(), { once: true });
  });
}

async function arrived(node: FakeNode): Promise<void> {
  const before = node.seen.all.length;
  await node.seen.until((request) => node.seen.all.indexOf(request) >= before);
}

it("ends the node's work when the app leaves before the first token", async () => {
  const { node, client } = await startWarm(() => new Promise<Response>(() => {}));
  const app = new AbortController();
  const request = arrived(node);
  const answer = expect(client.post({ signal: app.signal })).rejects.toThrow();
  await request;
  const left = leftBy(node);
  app.abort();
  await left;
  await answer;
});

it("ends the node's work when the app leaves in the middle of a stream", async () => {
  const stream = openStream();
  const { node, client } = await startWarm(() => stream.response);
  stream.write("data: {}\n\n");
  const app = new AbortController();
  const answer = await client.post({ signal: app.signal });
  await answer.body?.getReader().read();
  const left = leftBy(node);
  app.abort();
  await left;
});

it("ends the node's work when the app leaves in the middle of an answer that is no stream", async () => {
  const stream = openStream("audio/mpeg");
  const { node, client } = await startWarm(() => stream.response);
  stream.write(`{"half":`);
  const app = new AbortController();
  const answer = await client.post({ signal: app.signal });
  await answer.body?.getReader().read();
  const left = leftBy(node);
  app.abort();
  await left;
});

it("tries no other node for an app that has left", async () => {
  const network = await clientNetwork();
  const first = await network.addNode(() => new Promise<Response>(() => {}));
  const second = await network.addNode();
  const client: ClientUnderTest = await startClient(network);
  const app = new AbortController();
  const request = arrived(first);
  const answer = expect(client.post({ signal: app.signal })).rejects.toThrow();
  await request;
  const left = leftBy(first);
  app.abort();
  await left;
  await answer;
  // A request after it shows that nothing of the first is still under way.
  first.answer = () => Response.json({});
  await (await client.post()).text();
  expect(second.seen.all).toEqual([]);
});

it("leaves other requests of the same lease alone when one app leaves", async () => {
  const streams = [openStream(), openStream()];
  let begun = 0;
  const { node, client } = await startWarm(() => streams[begun++]?.response ?? Response.json({}));
  for (const stream of streams) stream.write("data: 1\n\n");
  const app = new AbortController();
  const leaving = await client.post({ signal: app.signal });
  await leaving.body?.getReader().read();
  const left = leftBy(node);
  const staying = await client.post();
  app.abort();
  await left;
  streams[1]?.write("data: [DONE]\n\n");
  streams[1]?.end();
  expect(withoutLastWords(await staying.text())).toBe("data: 1\n\ndata: [DONE]\n\n");
});
