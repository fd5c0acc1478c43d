import { expect, it } from "vitest";
import { clientNetwork, startClient, startWarm } from "./client-under-test";
import { openStream } from "./fake-node";

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted !== false) resolve();
    signal?.addEventListener("abort", () => resolve(), { once: true });
  });
}

it("ends what runs when it is stopped, at the node and at the app, and frees its port", async () => {
  const { node, client } = await startWarm();
  const stream = openStream();
  node.answer = () => stream.response;
  stream.write("data: 1\n\n");
  const answer = await client.post();
  const left = node.seen.all.at(-1)?.left;

  await client.stop();
  await aborted(left);
  // A clean end would look like a whole answer.
  await expect(answer.text()).rejects.toThrow();
  await expect(client.get("/health")).rejects.toThrow();
});

it("ends what waits for a node's first byte when it is stopped", async () => {
  const { node, client } = await startWarm();
  node.answer = () => new Promise<Response>(() => {});
  const before = node.seen.all.length;
  const posted = client.post().catch((error: unknown) => error);
  const { left } = await node.seen.until((request) => node.seen.all.indexOf(request) >= before);
  await client.stop();
  await aborted(left);
  expect(await posted).toBeInstanceOf(Error);
});

it("stops while requests wait for the coordinator", async () => {
  const network = await clientNetwork();
  await network.addNode();
  const asked = Promise.withResolvers<void>();
  network.coordinator.answers["POST /authorize"] = () => {
    asked.resolve();
    return new Promise<Response>(() => {});
  };
  const client = await startClient(network);
  const posted = client.post().catch((error: unknown) => error);
  await asked.promise;
  await client.stop();
  expect(await posted).toBeInstanceOf(Error);
});
