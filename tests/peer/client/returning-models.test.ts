import { expect, it } from "vitest";
import { problem } from "../coordinator/fake-coordinator";
import { chatBody } from "./client-under-test";
import { refusal } from "./fake-node";
import { GOOD, startWith, startWithKnownNode } from "./patience-under-test";

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
