import { type AddressInfo, createServer } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { problem } from "../coordinator/fake-coordinator";
import {
  chatBody,
  clientNetwork,
  type ClientNetwork,
  MODEL,
  startClient,
  startWarm,
} from "./client-under-test";
import { type Behaviour, openStream, refusal } from "./fake-node";

const GOOD: Behaviour = () => Response.json({ from: "the good one" });

/** Answers whatever comes with these bytes, then closes; the URL. */
async function bytesServer(reply: string): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(reply, "latin1"));
  });
  await new Promise<void>((listening) => void server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A network whose first node is such a server. */
async function networkWith(reply: string, ...others: readonly Behaviour[]): Promise<ClientNetwork> {
  const network = await clientNetwork();
  const url = await bytesServer(reply);
  network.nodes.push({ ...(await network.addNode()), url });
  network.nodes.shift();
  for (const answer of others) await network.addNode(answer);
  return network;
}

async function errorOf(answer: Response): Promise<{ code: string; message: string }> {
  const { error } = (await answer.json()) as { error: { code: string; message: string } };
  return error;
}

it.each([
  ["a status below all", "HTTP/1.1 099 X\r\ncontent-length: 2\r\n\r\nok"],
  ["a status beyond all", "HTTP/1.1 999 X\r\ncontent-length: 2\r\n\r\nok"],
  ["no HTTP", "SSH-2.0-OpenSSH_9.9\r\n\r\n"],
  ["two lengths", "HTTP/1.1 200 X\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok!"],
  ["a body whose end nobody can tell", 'HTTP/1.1 200 X\r\n\r\n{"half":'],
  ["nothing", ""],
])("takes a node that answers with %s for one that does not answer", async (_, reply) => {
  const network = await networkWith(reply, GOOD);
  const client = await startClient(network);
  const answer = await client.post();
  expect(await answer.json()).toEqual({ from: "the good one" });
  expect(answer.headers.get("x-troop-attempts")).toBe("2");
});

it("never passes half an answer on as a whole one where there is only such a node", async () => {
  const network = await networkWith('HTTP/1.1 200 X\r\n\r\n{"half":');
  const client = await startClient(network);
  const answer = await client.post();
  expect(answer.status).toBe(503);
  expect((await errorOf(answer)).code).toBe("node_unreachable");
});

it("does not pass an engine's 401 on, which an app would take for the word on its own key", async () => {
  const network = await clientNetwork();
  await network.addNode(() => Response.json({ error: "no key" }, { status: 401 }));
  const client = await startClient(network);
  const answer = await client.post();
  expect(answer.status).toBe(502);
  expect((await errorOf(answer)).code).toBe("engine_error");
});

it("goes to another node where an engine refuses its own node's key", async () => {
  const network = await clientNetwork();
  await network.addNode(() => Response.json({ error: "no key" }, { status: 401 }));
  await network.addNode(GOOD);
  const client = await startClient(network);
  expect(await (await client.post()).json()).toEqual({ from: "the good one" });
});

it.each(["ticket_invalid", "ticket_missing", "proof_invalid"])(
  "does not pass a node's 401 on (%s)",
  async (code) => {
    const network = await clientNetwork();
    await network.addNode(() => refusal(401, code));
    const client = await startClient(network);
    const answer = await client.post();
    expect(answer.status).toBe(502);
    expect((await errorOf(answer)).code).toBe("coordinator_refused");
  },
);

it("lists what is there where no node has the model any more", async () => {
  const network = await clientNetwork();
  network.models = [MODEL, "leaving"];
  await network.addNode(() => {
    network.models = [MODEL];
    return refusal(404, "model_not_found");
  });
  const client = await startClient(network);
  const answer = await client.post({ body: chatBody({ model: "leaving" }) });
  expect(answer.status).toBe(404);
  const { code, message } = await errorOf(answer);
  expect(code).toBe("model_not_found");
  expect(message).toBe(`No node offers the model "leaving". There is: ${MODEL}.`);
});

it("tells each app so, and goes to the first node that has the model again", async () => {
  const { network, node, client } = await startWarm(() => refusal(404, "model_not_found"));
  network.models = [];
  network.nodes.length = 0;
  for (let times = 0; times < 3; times++) {
    const answer = await client.post();
    expect([answer.status, (await errorOf(answer)).code]).toEqual([404, "model_not_found"]);
  }
  node.answer = GOOD;
  network.nodes.push(node);
  network.models = [MODEL];
  await expect.poll(async () => (await client.post()).status).toBe(200);
});

it("lists what is there where the coordinator no longer has the model of a list that is older", async () => {
  const network = await clientNetwork();
  network.models = [MODEL, "leaving"];
  await network.addNode();
  const client = await startClient(network);
  await (await client.get("/v1/models")).text();
  network.models = [MODEL];
  network.coordinator.answers["POST /authorize"] = () => problem("model_unavailable");
  const answer = await client.post({ body: chatBody({ model: "leaving" }) });
  expect(answer.status).toBe(404);
  expect((await errorOf(answer)).message).toBe(
    `No node offers the model "leaving". There is: ${MODEL}.`,
  );
  const lists = network.coordinator.seen.filter(({ target }) => target === "/v1/models");
  expect(lists).toHaveLength(2);
});

it("does not shun a node that has lost one model when another is asked for", async () => {
  const network = await clientNetwork();
  network.models = [MODEL, "lost"];
  let isLost = true;
  const first = await network.addNode((request) =>
    isLost ? refusal(404, "model_not_found") : GOOD(request),
  );
  await network.addNode(GOOD);
  const client = await startClient(network);
  await (await client.post({ body: chatBody({ model: "lost" }) })).text();
  isLost = false;
  const answer = await client.post();
  await answer.text();
  expect(answer.headers.get("x-troop-node")).toBe(first.id);
});

it("gives the app the refusal in hand where the node that gave it is gone by then", async () => {
  const network = await clientNetwork();
  const broken = openStream("application/json");
  await network.addNode(() => {
    broken.write('{"error":');
    return new Response(broken.response.body, { status: 500 });
  });
  await network.addNode(() => {
    broken.reset();
    return new Response("the second", { status: 500 });
  });
  const client = await startClient(network);
  const answer = await client.post();
  expect(answer.status).toBe(500);
  expect(await answer.text()).toBe("the second");
});
