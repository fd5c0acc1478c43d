import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { signE2eKey } from "#protocol/e2e-key";
import { generateE2eKey } from "#protocol/e2e-session";
import { generatePrivateKey, openIdentity } from "#protocol/identity";
import { OpenAiError } from "#protocol/openai-error";
import { chatBody, clientNetwork, type ClientNetwork, startClient } from "./client-under-test";
import { type FakeNode, openStream, refusal } from "./fake-node";

type Change = (bytes: Buffer) => Buffer | "cut";

/** Between the client and a node; may change what the node answers, and remembers all that passes. */
async function between(
  node: FakeNode,
  change: Change = (bytes) => bytes,
): Promise<{ readonly url: string; readonly seen: () => string }> {
  const seen: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const target = connect(Number(new URL(node.url).port), "127.0.0.1");
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => (client.destroy(), target.destroy()));
    }
    client.on("data", (bytes) => {
      seen.push(Buffer.from(bytes));
      target.write(bytes);
    });
    target.on("data", (bytes) => {
      seen.push(Buffer.from(bytes));
      const changed = change(Buffer.from(bytes));
      if (changed === "cut") client.destroy();
      else client.write(changed);
    });
  });
  await new Promise<void>((listening) => void server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen: () => Buffer.concat(seen).toString("latin1"),
  };
}

/** A first node that is reached through somebody, and a second one that is good. */
async function networkBehind(change?: Change) {
  const network = await clientNetwork();
  const node = await network.addNode();
  const way = await between(node, change);
  network.nodes[0] = { ...node, url: way.url };
  const good = await network.addNode(() => Response.json({ from: "the good one" }));
  return { network, node, way, good };
}

async function usesAnother(network: ClientNetwork, good: FakeNode): Promise<void> {
  const client = await startClient(network);
  const answer = await client.post();
  expect(await answer.json()).toEqual({ from: "the good one" });
  expect(answer.headers.get("x-troop-node")).toBe(good.id);
}

it("sends one proof in a session, and none once the node has answered", async () => {
  const { network, way } = await networkBehind();
  const client = await startClient(network);
  for (let each = 0; each < 4; each += 1) {
    expect(await (await client.post()).json()).toEqual({ from: "node" });
  }
  expect(way.seen().match(/^troop-proof: /gim)).toHaveLength(1);
  expect(way.seen().match(/^troop-session: .*\..*\./gim)).toHaveLength(4);
});

it("proves who it is once more to a node that was started again, without the app's noticing", async () => {
  const { network, node, way } = await networkBehind();
  const client = await startClient(network);
  await (await client.post()).text();
  node.forgetSessions();
  const large = chatBody({ padding: "x".repeat(600_000) });
  for (const body of [chatBody(), large]) {
    node.forgetSessions();
    const answer = await client.post({ body });
    expect(await answer.json()).toEqual({ from: "node" });
    expect(answer.headers.get("x-troop-attempts")).toBe("1");
    expect(Buffer.from(node.seen.all.at(-1)?.body ?? []).toString()).toBe(body);
  }
  expect(way.seen().match(/^troop-proof: /gim)).toHaveLength(3);
});

it("shows who listens no byte of what was asked and answered", async () => {
  const { network, node, way } = await networkBehind();
  const secret = "the quick brown secret";
  node.answer = () =>
    Response.json({ answer: secret }, { status: 418, headers: { "x-secret": secret } });
  const client = await startClient(network);
  const answer = await client.post({
    target: `/v1/responses?${encodeURIComponent(secret)}`,
    body: chatBody({ secret }),
    headers: { "x-secret": secret },
  });
  expect([answer.status, await answer.json()]).toEqual([418, { answer: secret }]);
  const seen = way.seen();
  expect(seen).toContain("troop-session");
  for (const part of ["secret", "responses", "messages", "Say something", "418", "brown"]) {
    expect(seen.includes(part)).toBe(false);
  }
});

it.each<readonly [string, (network: ClientNetwork) => Promise<string> | string]>([
  [
    "that its coordinator made",
    async () => {
      const coordinator = await openIdentity(await generatePrivateKey());
      return signE2eKey(coordinator, (await generateE2eKey()).x, Date.now());
    },
  ],
  ["of another node", async (network) => (await network.addNode()).e2eKey],
  ["that is none", () => "none"],
])("does not use a node with a key %s", async (_, keyFor) => {
  const { network, node, good } = await networkBehind();
  const e2eKey = await keyFor(network);
  network.nodes.splice(0, network.nodes.length, { ...node, e2eKey }, good);
  await usesAnother(network, good);
  expect(node.seen.all).toEqual([]);
});

it("does not use a node whose key has ended", async () => {
  const { network, good, node } = await networkBehind();
  const identity = await openIdentity(await generatePrivateKey());
  const { x } = await generateE2eKey();
  const e2eKey = await signE2eKey(identity, x, Date.now() - 31 * 24 * 60 * 60 * 1_000);
  network.nodes[0] = { ...node, id: identity.peerId, e2eKey };
  await usesAnother(network, good);
});

it.each([
  ["all zeros", "A".repeat(43)],
  ["a point of small order", Buffer.from("01".padEnd(64, "0"), "hex").toString("base64url")],
])("does not use a node whose own key is %s, and does not fail of it", async (_, x) => {
  const { network, good, node } = await networkBehind();
  const identity = await openIdentity(await generatePrivateKey());
  const e2eKey = await signE2eKey(identity, x, Date.now());
  network.nodes[0] = { ...node, id: identity.peerId, e2eKey };
  await usesAnother(network, good);
});

it("takes nothing from a node that does not answer sealed", async () => {
  const network = await clientNetwork();
  const plain = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => Response.json({ from: "the way" }),
  });
  onTestFinished(() => plain.stop(true));
  const node = await network.addNode();
  network.nodes[0] = { ...node, url: `http://127.0.0.1:${plain.port}` };
  const good = await network.addNode(() => Response.json({ from: "the good one" }));
  await usesAnother(network, good);
});

it.each(["not_found", "invalid_request", "request_too_large", "model_required", "x", ""])(
  "gives the app no words of the way, said as the node's refusal (%s)",
  async (code) => {
    const network = await clientNetwork();
    const way = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => Response.json({ from: "the way" }, { headers: { "troop-refusal": code } }),
    });
    onTestFinished(() => way.stop(true));
    const node = await network.addNode();
    network.nodes[0] = { ...node, url: `http://127.0.0.1:${way.port}` };
    const client = await startClient(network);
    const answer = await client.post();
    expect(answer.status).toBe(503);
    expect(OpenAiError.parse(await answer.json()).error.code).toBe("node_unreachable");
  },
);

it("tells the app of a busy node in its own words", async () => {
  const network = await clientNetwork();
  await network.addNode(() => {
    const said = refusal(503, "node_busy", { "retry-after": "7", "x-more": "words" });
    return new Response("words of the way", { status: 200, headers: said.headers });
  });
  const client = await startClient(network);
  const answer = await client.post();
  expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "7"]);
  expect(answer.headers.get("x-more")).toBeNull();
  const { error } = OpenAiError.parse(await answer.json());
  expect(error.code).toBe("node_busy");
  expect(error.message).not.toContain("words");
});

it("goes elsewhere where the first bytes of an answer were changed", async () => {
  const { network, good } = await networkBehind((bytes) => {
    const at = bytes.indexOf("\r\n\r\n") + 10;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return bytes;
  });
  await usesAnother(network, good);
});

it.each([
  ["changed", false],
  ["cut off", true],
])("never gives an app the end of an answer that was %s on its way", async (_, isCut) => {
  const stream = openStream("audio/mpeg");
  let isOn = false;
  const { network, node } = await networkBehind((bytes) => {
    if (!isOn) return bytes;
    if (isCut) return "cut";
    const at = bytes.indexOf("\r\n") + 8;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return bytes;
  });
  node.answer = () => stream.response;
  stream.write('{"a":');
  const client = await startClient(network);
  const answer = await client.post();
  const reader = answer.body?.getReader();
  const first = await reader?.read();
  expect(Buffer.from(first?.value ?? []).toString()).toBe('{"a":');
  isOn = true;
  stream.write("1}");
  await expect(reader?.read()).rejects.toThrow();
});

it("tells the app in JSON of JSON that was cut off on its way", async () => {
  const stream = openStream("application/json");
  const passed = Promise.withResolvers<void>();
  let isOn = false;
  const { network, node } = await networkBehind((bytes) => {
    if (isOn) return "cut";
    if (node.seen.all.length > 0) passed.resolve();
    return bytes;
  });
  node.answer = () => stream.response;
  stream.write('{"a":');
  const client = await startClient(network);
  const posted = client.post();
  await passed.promise;
  isOn = true;
  stream.write("1}");
  const answer = await posted;
  const { error } = OpenAiError.parse(await answer.json());
  // The last one: its head came, and the first bytes behind it did not.
  expect(["502 stream_broken", "503 node_unreachable"]).toContain(`${answer.status} ${error.code}`);
});

it("carries what is larger than one record, both ways", async () => {
  const { network, node } = await networkBehind();
  const large = "é".repeat(1_500_000);
  node.answer = ({ body }) => new Response(body, { headers: { "content-type": "text/plain" } });
  const client = await startClient(network);
  const body = chatBody({ large });
  const answer = await client.post({ body });
  expect(await answer.text()).toBe(body);
});
