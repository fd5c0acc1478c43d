import { expect, it } from "vitest";
import { createBodyBudget } from "#peer/client/body-budget";
import { handle, type HandleDeps } from "#peer/client/handle";
import { createLeases } from "#peer/client/leases";
import { createModels } from "#peer/client/model-list";
import { createNodeOrder } from "#peer/client/node-order";
import { coordinatorApi } from "#peer/coordinator/api";
import { generatePrivateKey, openIdentity } from "#protocol/identity";
import { CHAT, chatBody, clientNetwork, type ClientNetwork } from "./client-under-test";
import { openStream, type OpenStream } from "./fake-node";

/** A client's handler that holds no more than two requests of the test's size. */
async function smallClient(network: ClientNetwork): Promise<HandleDeps> {
  const identity = await openIdentity(await generatePrivateKey());
  const api = coordinatorApi({ baseUrl: network.coordinator.baseUrl, identity });
  return {
    identity,
    leases: createLeases(api, Date.now),
    order: createNodeOrder(Date.now),
    models: createModels(() => api.models(), { nowMs: Date.now }),
    bodies: createBodyBudget({ mostAtOnce: 2 * chatBody().length }),
    allowedRanges: () => ["127.0.0.0/8"],
    nowMs: Date.now,
    listening: "127.0.0.1",
    enrolled: () => Promise.resolve(),
  };
}

function post(deps: HandleDeps, body: string = chatBody()): Promise<Response> {
  const headers = { host: "127.0.0.1", "content-type": "application/json" };
  const init = { method: "POST", headers: { ...headers, "content-length": `${body.length}` } };
  return handle(deps, new Request(`http://127.0.0.1${CHAT}`, { ...init, body }));
}

it("refuses bodies beyond its memory in JSON, and takes them again when answers have ended", async () => {
  const network = await clientNetwork();
  const streams: OpenStream[] = [];
  await network.addNode(() => {
    const stream = openStream();
    stream.write("data: 1\n\n");
    streams.push(stream);
    return stream.response;
  });
  const deps = await smallClient(network);
  const running = [await post(deps), await post(deps)];

  const refused = await post(deps);
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toBe("5");
  expect(await refused.json()).toMatchObject({ error: { code: "node_busy" } });

  for (const stream of streams) stream.end();
  for (const answer of running) expect(await answer.text()).toBe("data: 1\n\n");
  expect((await post(deps)).status).toBe(200);
  expect((await post(deps)).status).toBe(200);
});

it.each([
  ["names no model", () => "{}"],
  ["names a model that nobody has", () => chatBody({ model: "nobody-has" })],
  ["finds no node", () => chatBody()],
])("holds nothing of a request that %s", async (_, body) => {
  const network = await clientNetwork();
  const node = await network.addNode();
  await node.stop();
  const deps = await smallClient(network);
  for (let times = 0; times < 5; times++) {
    const answer = await post(deps, body());
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
  const deps = await smallClient(network);
  for (let times = 0; times < 5; times++) {
    const answer = await post(deps);
    expect(answer.status).toBe(200);
    await answer.body?.cancel();
  }
});
