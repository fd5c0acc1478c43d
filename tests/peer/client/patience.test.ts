import { expect, it } from "vitest";
import { systemClock } from "#peer/clock";
import { problem } from "../coordinator/fake-coordinator";
import { chatBody, clientNetwork, startClient } from "./client-under-test";
import { type Behaviour, refusal } from "./fake-node";
import { handlerFor } from "./handler-under-test";

const GOOD: Behaviour = () => Response.json({ from: "the good one" });
const fullFor = (seconds: number): Response =>
  refusal(503, "node_busy", { "retry-after": String(seconds) });

async function startWith(patienceMs: number, ...answers: readonly Behaviour[]) {
  const network = await clientNetwork();
  for (const answer of answers) await network.addNode(answer);
  return { network, client: await startClient(network, { patienceMs }) };
}

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

/** A client that had an answer of its only node. */
async function startWithKnownNode(patienceMs: number) {
  const { network, client } = await startWith(patienceMs, GOOD);
  await (await client.post()).text();
  const [node] = network.nodes;
  if (node === undefined) throw new Error("There is no node.");
  return { network, client, node };
}

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

/** A client whose leases are spent by their first request and never extended. */
async function startWithSpentLease(patienceMs: number) {
  const { network, client } = await startWith(patienceMs, GOOD);
  network.coordinator.answers["POST /authorize/extend"] = () => problem("internal");
  network.budget = 1;
  await (await client.post()).text();
  return { network, client, nodes: network.nodes.splice(0) };
}

it("waits for a model that was there a moment ago, and asks the coordinator once for all who wait", async () => {
  const { network, client, nodes } = await startWithSpentLease(30_000);
  const before = network.authorized.length;
  const posted = [client.post(), client.post(), client.post()];
  await expect.poll(() => network.authorized.length).toBeGreaterThan(before + 1);
  network.budget = 60_000_000;
  network.nodes.push(...nodes);
  const answers = await Promise.all(posted);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  // Each asks for itself at most once.
  expect(network.authorized.length - before).toBeLessThanOrEqual(5);
});

it("waits for a model that its only node has lost, until it has it again", async () => {
  const { network, client, node } = await startWithKnownNode(30_000);
  node.answer = () => refusal(404, "model_not_found");
  const nodes = network.nodes.splice(0);
  const asked = network.authorized.length;
  const posted = client.post();
  // Once for other nodes, then for any.
  await expect.poll(() => network.authorized.length).toBeGreaterThan(asked + 1);
  node.answer = GOOD;
  network.nodes.push(...nodes);
  expect(await (await posted).json()).toEqual({ from: "the good one" });
});

it("believes a node that says twice that it has lost the model, whatever the coordinator says", async () => {
  const { network, client, node } = await startWithKnownNode(30_000);
  node.answer = () => refusal(404, "model_not_found");
  const before = network.authorized.length;
  const answer = await client.post();
  expect(await answer.json()).toMatchObject({ error: { code: "model_not_found" } });
  const anew = network.authorized.slice(before).filter(({ exclude }) => exclude === undefined);
  expect([node.seen.all.length, anew.length]).toEqual([3, 1]);
});

it("waits for a model also where it has just been seen that it is not listed", async () => {
  const { network, client, nodes } = await startWithSpentLease(30_000);
  network.models = [];
  const lists = () => network.coordinator.seen.filter(({ target }) => target === "/v1/models");
  const read = lists().length;
  const askForAnother = async () => {
    await (await client.post({ body: chatBody({ model: "another" }) })).text();
    return lists().length;
  };
  // A list that is new is not read again for it.
  await expect.poll(askForAnother).toBeGreaterThan(read);
  const before = network.authorized.length;
  const posted = client.post();
  await expect.poll(() => network.authorized.length).toBeGreaterThan(before + 1);
  network.budget = 60_000_000;
  network.nodes.push(...nodes);
  expect((await posted).status).toBe(200);
});

it("waits for a model that is gone just when its node takes a lease for spent", async () => {
  const { network, client, node } = await startWithKnownNode(30_000);
  const nodes = network.nodes.splice(0);
  let refusals = 0;
  node.answer = (request) => (refusals++ < 1 ? refusal(402, "budget_exhausted") : GOOD(request));
  const before = network.authorized.length;
  const posted = client.post();
  await expect.poll(() => network.authorized.length).toBeGreaterThan(before + 1);
  network.nodes.push(...nodes);
  expect((await posted).status).toBe(200);
});

it("does not wait again for a model that did not come back", async () => {
  const { network, client } = await startWithSpentLease(1_500);
  for (const asked of [2, 1]) {
    const before = network.authorized.length;
    const answer = await client.post();
    expect(await answer.json()).toMatchObject({ error: { code: "model_not_found" } });
    expect(network.authorized.length - before).toBe(asked);
  }
});

it("does not wait for a model that was never there", async () => {
  const { network, client } = await startWith(30_000);
  expect((await client.post()).status).toBe(404);
  expect(network.authorized).toHaveLength(1);
});

it("waits for a coordinator whose store is away", async () => {
  const { network, client } = await startWith(30_000, GOOD);
  const authorize = network.coordinator.answers["POST /authorize"];
  let asked = 0;
  network.coordinator.answers["POST /authorize"] = (call) =>
    asked++ < 2
      ? problem("store_unavailable", {}, { "retry-after": "1" })
      : (authorize?.(call) ?? problem("internal"));
  expect((await client.post()).status).toBe(200);
  expect(asked).toBe(3);
});

it("tells the app where the coordinator's store stays away", async () => {
  const network = await clientNetwork();
  let asked = 0;
  network.coordinator.answers["POST /authorize"] = () => {
    asked += 1;
    return problem("store_unavailable", {}, { "retry-after": "1" });
  };
  // Each look takes 0.4 of the 1.6 seconds, on however slow a machine: there is time for one pause of a second.
  const steadyMs = () => asked * 400;
  const patience = { patienceMs: 1_600, random: () => 0 };
  const handler = await handlerFor(network, {}, patience, { ...systemClock, steadyMs });
  const answer = await handler.post();
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ error: { code: "coordinator_refused" } });
  expect(asked).toBe(2);
});

/** What a proxy says in front of a coordinator that is gone. */
const NO_COORDINATOR = () => new Response("bad gateway", { status: 502 });

it("waits for a coordinator that is gone just when the nodes of a ticket have failed", async () => {
  const { network, client } = await startWith(30_000, GOOD);
  await (await client.post()).text();
  await network.nodes[0]?.stop();
  await network.addNode(() => Response.json({ from: "the other one" }));
  const authorize = network.coordinator.answers["POST /authorize"];
  let asked = 0;
  network.coordinator.answers["POST /authorize"] = (call) =>
    asked++ < 1 ? NO_COORDINATOR() : (authorize?.(call) ?? problem("internal"));
  expect(await (await client.post()).json()).toEqual({ from: "the other one" });
  expect(asked).toBe(2);
});

it("tells the app at once where the coordinator is gone and there is no ticket", async () => {
  const { network, client } = await startWith(30_000, GOOD);
  let asked = 0;
  network.coordinator.answers["POST /authorize"] = () => {
    asked += 1;
    return NO_COORDINATOR();
  };
  const answer = await client.post();
  expect(await answer.json()).toMatchObject({ error: { code: "coordinator_unreachable" } });
  expect(asked).toBe(1);
});
