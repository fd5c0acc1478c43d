import { expect, it } from "vitest";
import { chatBody, clientNetwork, MODEL } from "./client-under-test";
import { openStream, type OpenStream } from "./fake-node";
import { handlerFor } from "./handler-under-test";
import { withoutLastWords } from "#support/last-words";

/** Room for two requests of the test's size. */
const LIMITS = { mostAtOnce: 2 * chatBody().length };

it("refuses bodies beyond its memory in JSON, and takes them again when answers have ended", async () => {
  const network = await clientNetwork();
  const streams: OpenStream[] = [];
  await network.addNode(() => {
    const stream = openStream();
    stream.write("data: 1\n\n");
    streams.push(stream);
    return stream.response;
  });
  const { post } = await handlerFor(network, LIMITS);
  const running = [await post(), await post()];

  const refused = await post();
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toBe("5");
  expect(await refused.json()).toMatchObject({ error: { code: "node_busy" } });

  for (const stream of streams) stream.end();
  for (const answer of running) expect(withoutLastWords(await answer.text())).toBe("data: 1\n\n");
  expect((await post()).status).toBe(200);
  expect((await post()).status).toBe(200);
});

it.each([
  ["names no model", () => chatBody({ model: undefined })],
  ["names a model that nobody has", () => chatBody({ model: "nobody-has" })],
  ["finds no node", () => chatBody()],
])("holds nothing of a request that %s", async (_, body) => {
  const network = await clientNetwork();
  const node = await network.addNode();
  await node.stop();
  const { post } = await handlerFor(network, LIMITS);
  for (let times = 0; times < 5; times++) {
    const answer = await post(body());
    expect(await answer.text()).not.toContain("large bodies");
  }
});

it("holds nothing for an app that left in the middle of its answer", async () => {
  const network = await clientNetwork();
  await network.addNode(() => {
    const stream = openStream();
    stream.write("data: 1\n\n");
    return stream.response;
  });
  const { post } = await handlerFor(network, LIMITS);
  for (let times = 0; times < 5; times++) {
    const answer = await post();
    expect(answer.status).toBe(200);
    await answer.body?.cancel();
  }
});

it("goes on with its ticket when the model is on the coordinator's list no more, and asks nobody", async () => {
  const network = await clientNetwork();
  await network.addNode();
  const { post, passListMs } = await handlerFor(network);
  expect((await post()).status).toBe(200);
  network.models = ["another"];
  // The list is read anew for a model that it does not have.
  passListMs(60_000);
  expect((await post(chatBody({ model: "unknown" }))).status).toBe(404);
  const calls = network.coordinator.seen.length;
  passListMs(60_000);
  expect((await post(chatBody({ model: MODEL }))).status).toBe(200);
  expect(network.coordinator.seen).toHaveLength(calls);
});
