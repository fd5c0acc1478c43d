import { expect, it } from "vitest";
import { systemClock } from "#peer/clock";
import { clientNetwork } from "./client-under-test";
import { refusal } from "./fake-node";
import { handlerFor } from "./handler-under-test";
import { GOOD, startWith, startWithKnownNode } from "./patience-under-test";

const fullFor = (seconds: number): Response =>
  refusal(503, "node_busy", { "retry-after": String(seconds) });

it("asks again where all nodes were busy, when the first of them should have room", async () => {
  let refusals = 0;
  const { network, client } = await startWith(30_000, () =>
    refusals++ < 2 ? fullFor(1) : Response.json({}),
  );
  const answer = await client.post();
  expect([answer.status, answer.headers.get("x-troop-attempts")]).toEqual([200, "3"]);
  expect(network.nodes[0]?.seen.all).toHaveLength(3);
  // What was refused has ended as well.
  await expect.poll(() => network.acks.all.length).toBe(3);
});

it("tells the app at once where none has room in time", async () => {
  const { network, client } = await startWith(6_000, () => fullFor(7));
  const answer = await client.post();
  expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "7"]);
  expect(network.nodes[0]?.seen.all).toHaveLength(1);
});

it("tells the app in the end where none ever has room", async () => {
  const { network, client } = await startWith(
    3_200,
    () => fullFor(1),
    () => fullFor(1),
  );
  const answer = await client.post();
  expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(await answer.json()).toMatchObject({ error: { code: "node_busy" } });
  const rounds = network.nodes.map(({ seen }) => seen.all.length);
  // Each pause lasts from one to one and a half of the second that the nodes said.
  for (const count of rounds) expect([2, 3, 4]).toContain(count);
});

it("waits for a busy node where the engine of the only other one failed", async () => {
  let refusals = 0;
  const { client } = await startWith(
    30_000,
    () => new Response("engine failed", { status: 500 }),
    () => (refusals++ < 1 ? fullFor(1) : Response.json({ from: "the busy one" })),
  );
  expect(await (await client.post()).json()).toEqual({ from: "the busy one" });
});

it("waits for nobody where two engines failed at the request", async () => {
  const failing = () => new Response("engine failed", { status: 500 });
  const { network, client } = await startWith(30_000, failing, failing, () => fullFor(1));
  const answer = await client.post();
  expect([answer.status, await answer.text()]).toEqual([500, "engine failed"]);
  expect(network.nodes.map(({ seen }) => seen.all.length)).toEqual([1, 1, 1]);
});

it("waits for a node that is being started again", async () => {
  const { network, client, node } = await startWithKnownNode(30_000);
  await node.stop();
  const asked = network.authorized.length;
  const posted = [client.post(), client.post()];
  // It has been found away, since other nodes were asked for.
  await expect.poll(() => network.authorized.length).toBeGreaterThan(asked);
  node.startAgain();
  const answers = await Promise.all(posted);
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
});

it("waits for a node that is being started again at another address", async () => {
  const { network, client, node } = await startWithKnownNode(30_000);
  await node.stop();
  // It said goodbye.
  network.nodes.length = 0;
  const asked = network.authorized.length;
  const posted = client.post();
  await expect.poll(() => network.authorized.length).toBeGreaterThan(asked);
  network.nodes.push({ ...node, url: node.startAgain("elsewhere") });
  expect((await posted).status).toBe(200);
});

it("finds a node that was away for long at the address that it has now", async () => {
  const network = await clientNetwork();
  const node = await network.addNode(GOOD);
  let laterMs = 0;
  const { wallMs } = systemClock;
  const clock = { wallMs, steadyMs: () => systemClock.steadyMs() + laterMs };
  const handler = await handlerFor(network, {}, {}, clock);
  await (await handler.post()).text();
  await node.stop();
  // The coordinator has not missed it yet.
  expect((await handler.post()).status).toBe(503);
  await expect.poll(() => network.authorized.length).toBe(3);
  laterMs = 40_000;
  network.nodes[0] = { ...node, url: node.startAgain("elsewhere") };
  await expect.poll(async () => (await handler.post()).status).toBe(200);
  expect(network.authorized.filter(({ exclude }) => exclude === undefined)).toHaveLength(3);
});

it("waits for a node whose engine is being started again", async () => {
  const { client, node } = await startWithKnownNode(30_000);
  let refusals = 0;
  node.answer = (request) => (refusals++ < 2 ? refusal(502, "engine_unreachable") : GOOD(request));
  expect(await (await client.post()).json()).toEqual({ from: "the good one" });
});

it.each(["engine_error", "internal"])(
  "does not send a request again and again at which a node failed (%s)",
  async (code) => {
    const { client, node } = await startWithKnownNode(30_000);
    node.answer = () => refusal(502, code);
    expect((await client.post()).status).toBeGreaterThanOrEqual(500);
    expect(node.seen.all).toHaveLength(2);
  },
);

it("tells the app in the end that a node which answered does not come back", async () => {
  const { network, client, node } = await startWithKnownNode(3_000);
  await node.stop();
  const answer = await client.post();
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ error: { code: "node_unreachable" } });
  // The answer before, and more than one try.
  await expect.poll(() => network.acks.all.length).toBeGreaterThan(2);
});

it("tells the app at once of a node that never answered", async () => {
  const network = await clientNetwork();
  await (await network.addNode(GOOD)).stop();
  const random = () => expect.unreachable("it waits");
  const handler = await handlerFor(network, {}, { patienceMs: 30_000, random });
  const answer = await handler.post();
  expect(await answer.json()).toMatchObject({ error: { code: "node_unreachable" } });
});

it("tells the app at once that its machine has left the overlay", async () => {
  const network = await clientNetwork();
  const node = await network.addNode();
  network.nodes[0] = { ...node, url: "http://100.64.0.9:8080" };
  const random = () => expect.unreachable("it waits");
  const surroundings = { hasChosenNodes: false, overlayAddress: () => undefined };
  const handler = await handlerFor(network, {}, { patienceMs: 30_000, random, surroundings });
  handler.order.answered(node.id);
  const answer = await handler.post();
  expect(await answer.text()).toContain("this machine has no Tailscale address");
});

it("charges nothing for a refusal", async () => {
  const { client } = await startWith(0, () => fullFor(1));
  expect((await client.post()).headers.get("x-troop-credits")).toBe("0");
});

const MOMENTS: readonly [string, (leave: () => void) => unknown][] = [
  ["before the pause", (leave) => leave()],
  ["in the pause", (leave) => setImmediate(leave)],
];

it.each(MOMENTS)(
  "waits no longer for an app that leaves %s",
  { timeout: 15_000 },
  async (_, when) => {
    const network = await clientNetwork();
    const node = await network.addNode(() => fullFor(20));
    const leaving = new AbortController();
    const random = (): number => {
      when(() => leaving.abort());
      return 0;
    };
    const handler = await handlerFor(network, {}, { patienceMs: 60_000, random });
    expect((await handler.post(undefined, undefined, leaving.signal)).status).toBe(499);
    expect(node.seen.all).toHaveLength(1);
  },
);
