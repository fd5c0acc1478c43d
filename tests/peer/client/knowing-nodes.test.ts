import { expect, it } from "vitest";
import { chatBody, clientNetwork, startClient, startWith } from "./client-under-test";
import { type Behaviour, refusal } from "./fake-node";

const GOOD: Behaviour = () => Response.json({ from: "the good one" });

it("does not ask again and again for other nodes where there are none", async () => {
  const { network, client } = await startWith(() => refusal(503, "node_busy"));
  for (let times = 0; times < 5; times++) expect((await client.post()).status).toBe(503);
  expect(network.authorized).toHaveLength(2);
});

it("tries a node that failed last, for a while", async () => {
  const { network, client } = await startWith(GOOD, GOOD);
  const [first, second] = network.nodes;
  if (first === undefined || second === undefined) throw new Error();
  first.answer = () => refusal(502, "engine_unreachable");
  await (await client.post()).text();
  await (await client.post()).text();
  expect(first.seen.all).toHaveLength(1);
  expect(second.seen.all).toHaveLength(2);
});

it("tries a busy node last, for as long as it said", async () => {
  const { network, client } = await startWith(
    () => refusal(503, "node_busy", { "retry-after": "30" }),
    GOOD,
  );
  const [first, second] = network.nodes;
  for (let times = 0; times < 3; times++) await (await client.post()).text();
  expect(first?.seen.all).toHaveLength(1);
  expect(second?.seen.all).toHaveLength(3);
});

it("takes a lease without the nodes that fail, for the requests to come", async () => {
  const gone = () => refusal(502, "engine_unreachable");
  const { network, client } = await startWith(gone, gone, GOOD);
  await (await client.post()).text();
  const [one, two] = network.nodes;
  await expect.poll(() => network.authorized).toHaveLength(2);
  expect(new Set(network.authorized[1]?.exclude)).toEqual(new Set([one?.id, two?.id]));
});

it("dials no address outside the ranges that the operator allows", async () => {
  const network = await clientNetwork();
  network.ranges = ["100.64.0.0/10"];
  const node = await network.addNode();
  const client = await startClient(network);
  const answer = await client.post();
  expect(answer.status).toBe(503);
  expect(node.seen.all).toEqual([]);
});

it("follows no redirect", async () => {
  const { network, client } = await startWith(
    () =>
      new Response(null, { status: 307, headers: { location: "http://127.0.0.1:9/elsewhere" } }),
  );
  const answer = await fetch(`${client.url}/v1/chat/completions`, {
    method: "POST",
    body: chatBody(),
    redirect: "manual",
  });
  expect(answer.status).toBe(307);
  expect(network.nodes[0]?.seen.all).toHaveLength(1);
});

it("a node that calls every ticket bad does not make the client hold credits lease after lease", async () => {
  const { network, client } = await startWith(() => refusal(401, "ticket_invalid"));
  for (let turn = 0; turn < 10; turn++) expect((await client.post()).status).toBe(502);
  // The first lease, one in its place, and those that a coordinator was asked for without that node.
  expect(network.authorized.filter((asked) => !("exclude" in asked)).length).toBeLessThanOrEqual(2);
});

it("uses the nodes that the user prefers first, though others are expected to be sooner, and others where they fail", async () => {
  const network = await clientNetwork();
  for (let count = 0; count < 5; count++) await network.addNode(GOOD);
  const preferred = network.nodes[4];
  const client = await startClient(network, { prefer: [preferred?.id ?? ""] });
  const nodeOf = async () => {
    const answer = await client.post();
    await answer.text();
    return answer.headers.get("x-troop-node");
  };
  expect(await nodeOf()).toBe(preferred?.id);
  await preferred?.stop();
  expect(await nodeOf()).toBe(network.nodes[0]?.id);
});

it("uses no node but those that the user allows, also where they fail", async () => {
  const network = await clientNetwork();
  for (let count = 0; count < 3; count++) await network.addNode(GOOD);
  const only = network.nodes[2];
  const client = await startClient(network, { only: [only?.id ?? ""] });
  const answer = await client.post();
  await answer.text();
  expect(answer.headers.get("x-troop-node")).toBe(only?.id);
  await only?.stop();
  expect((await client.post()).status).toBe(503);
  for (const { id, seen } of network.nodes) if (id !== only?.id) expect(seen.all).toEqual([]);
  for (const asked of network.authorized) expect(asked.only).toEqual([only?.id]);
});

it("tells the coordinator with its next call which nodes failed and which were busy", async () => {
  const { network, client } = await startWith(
    () => refusal(502, "engine_unreachable"),
    () => refusal(503, "node_busy"),
  );
  await (await client.post()).text();
  const [failed, full] = network.nodes;
  expect(network.authorized[0]).not.toHaveProperty("observed");
  expect(network.authorized[1]?.observed).toEqual([
    { node_id: failed?.id, failed: 1, full: 0 },
    { node_id: full?.id, failed: 0, full: 1 },
  ]);
});

it("asks a node that has the model no more once, and not again for as long as there are others", async () => {
  const { network, client } = await startWith(() => refusal(404, "model_not_found"), GOOD);
  for (let times = 0; times < 3; times++) {
    // Each a conversation of its own, which no node has had a turn of.
    const messages = [{ role: "user", content: `Begin ${times}.` }];
    expect((await client.post({ body: chatBody({ messages }) })).status).toBe(200);
  }
  expect(network.nodes.map(({ seen }) => seen.all.length)).toEqual([1, 3]);
});

it("asks a node whose engine has too much to do last, for as long as it said", async () => {
  const full = () =>
    Response.json({ error: "slow down" }, { status: 429, headers: { "retry-after": "30" } });
  const { network, client } = await startWith(full, GOOD);
  for (let times = 0; times < 3; times++) {
    const messages = [{ role: "user", content: `Begin ${times}.` }];
    expect((await client.post({ body: chatBody({ messages }) })).status).toBe(200);
  }
  expect(network.nodes.map(({ seen }) => seen.all.length)).toEqual([1, 3]);
});

it("finds a node that failed by itself, and goes there again", async () => {
  const { network, client } = await startWith(() => refusal(502, "engine_unreachable"), GOOD);
  const [first] = network.nodes;
  await (await client.post()).text();
  if (first !== undefined) first.answer = GOOD;
  let conversations = 0;
  async function nextNode(): Promise<string | null> {
    const messages = [{ role: "user", content: `Begin ${(conversations += 1)}.` }];
    const answer = await client.post({ body: chatBody({ messages }) });
    await answer.text();
    return answer.headers.get("x-troop-node");
  }
  await expect.poll(nextNode, { timeout: 25_000 }).toBe(first?.id);
});
