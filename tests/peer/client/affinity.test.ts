import { expect, it } from "vitest";
import { clientNetwork, type ClientNetwork, MODEL } from "./client-under-test";
import { handlerFor } from "./handler-under-test";

const CONVERSATIONS = 60;
const TURNS = 6;

/** Five nodes of which each lease names three, and all of them as good. */
async function fiveNodes(): Promise<ClientNetwork> {
  const network = await clientNetwork();
  network.expectedMs = () => 0;
  for (let count = 0; count < 5; count++) await network.addNode();
  return network;
}

/** The body of a conversation's turn: all that was said before is said again. */
function turn(conversation: number, number: number): string {
  const messages = [
    { role: "system", content: "You are the same assistant in all of them." },
    { role: "user", content: `Conversation ${conversation} begins.` },
  ];
  for (let before = 1; before <= number; before++) {
    messages.push({ role: "assistant", content: "Yes." });
    messages.push({ role: "user", content: `Go on with ${before}.` });
  }
  return JSON.stringify({ model: MODEL, messages });
}

it("brings a conversation back to its node, and spreads conversations over all nodes there are", async () => {
  const network = await fiveNodes();
  const client = await handlerFor(network);
  const places = new Map<number, string[]>();
  const take = async (conversation: number, number: number) => {
    const answer = await client.post(turn(conversation, number));
    expect(answer.status).toBe(200);
    await answer.text();
    const before = places.get(conversation) ?? [];
    places.set(conversation, [...before, answer.headers.get("x-troop-node") ?? ""]);
  };
  for (let conversation = 0; conversation < CONVERSATIONS; conversation++) {
    await take(conversation, 0);
    client.tend();
    // Three nodes are crowded now; the lease for the other two comes when it comes.
    if (conversation === 12) await expect.poll(client.nodes).toBe(5);
  }
  for (let number = 1; number < TURNS; number++) {
    const all = [...places.keys()].map((conversation) => take(conversation, number));
    await Promise.all(all);
  }

  const followUps = [...places.values()].flatMap(([first, ...rest]) =>
    rest.map((node) => node === first),
  );
  expect(followUps).toHaveLength(CONVERSATIONS * (TURNS - 1));
  expect(followUps.filter(Boolean).length / followUps.length).toBeGreaterThanOrEqual(0.9);

  const even = (CONVERSATIONS * TURNS) / network.nodes.length;
  const loads = network.nodes.map(({ seen }) => seen.all.length);
  for (const load of loads) expect(Math.abs(load - even) / even).toBeLessThanOrEqual(0.25);
  // Both leases that it took for that are shared by all.
  expect(network.authorized).toHaveLength(2);
});

it("takes a conversation elsewhere when its node is gone, and no other with it", async () => {
  const network = await fiveNodes();
  const client = await handlerFor(network);
  const nodeOf = async (conversation: number, number: number) => {
    const answer = await client.post(turn(conversation, number));
    await answer.text();
    return answer.headers.get("x-troop-node");
  };
  const before = new Map<number, string | null>();
  for (let one = 0; one < 9; one++) before.set(one, await nodeOf(one, 0));
  const gone = network.nodes.find(({ id }) => id === before.get(0));
  await gone?.stop();
  for (const [one, node] of before) {
    const after = await nodeOf(one, 1);
    if (node === gone?.id) expect(after).not.toBe(node);
    else expect(after).toBe(node);
    expect(await nodeOf(one, 2)).toBe(after);
  }
});

it("goes on from a kept answer at the node that keeps it", async () => {
  const network = await fiveNodes();
  for (const node of network.nodes) {
    let count = 0;
    node.answer = () => Response.json({ id: `resp_${node.id}_${count++}`, object: "response" });
  }
  const client = await handlerFor(network);
  const ask = async (body: object) => {
    const target = "/v1/responses";
    const answer = await client.post(JSON.stringify({ model: MODEL, ...body }), target);
    const { id } = (await answer.json()) as { id: string };
    return { id, node: answer.headers.get("x-troop-node") };
  };
  for (let times = 0; times < 10; times++) {
    const first = await ask({ input: "Begin." });
    const second = await ask({ input: "Go on.", previous_response_id: first.id });
    const third = await ask({ input: "And on.", previous_response_id: second.id });
    expect([second.node, third.node]).toEqual([first.node, first.node]);
  }
});
