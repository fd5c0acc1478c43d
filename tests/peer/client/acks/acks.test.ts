import { createHash } from "node:crypto";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { openAcks } from "#peer/client/acks/acks";
import { systemClock } from "#peer/clock";
import { CoordinatorUnreachable } from "#peer/coordinator/errors";
import { openHome } from "#peer/home/open-home";
import { readOutbox } from "#peer/outbox/outbox-summary";
import { problem } from "../../coordinator/fake-coordinator";
import { temporaryFolder } from "../../home/temporary-folder";
import {
  CHAT,
  chatBody,
  clientNetwork,
  type ClientNetwork,
  startClient,
  startWarm,
} from "../client-under-test";
import { type FakeNode, openStream, refusal } from "../fake-node";

const SSE = { headers: { "content-type": "text/event-stream" } };
const STREAM =
  'data: {"id":"1","choices":[{"delta":{"content":"a"}}]}\n\n' +
  'data: {"id":"1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}\n\n' +
  "data: [DONE]\n\n";

function sha256(data: string): string {
  return createHash("sha256").update(data).digest("base64url");
}

function ackOf(network: ClientNetwork, node: FakeNode | undefined, at: number) {
  const request = node?.seen.all[at];
  return network.acks.until((ack) => ack.lease === request?.leaseId && ack.seq === request.seq);
}

it.each([
  [
    "an answer that comes whole",
    () => Response.json({ usage: { prompt_tokens: 9, completion_tokens: 2 } }),
  ],
  ["a stream", () => new Response(STREAM, SSE)],
] as const)("acks %s, with the tokens and the hashes of both bodies", async (_, answer) => {
  const { network, node, client } = await startWarm(answer);
  const body = chatBody({ seed: 7 });
  const text = await (await client.post({ body })).text();
  const ack = await ackOf(network, node, 1);
  expect(ack).toMatchObject({
    iss: client.home.identity.peerId,
    node: node.id,
    outcome: "completed",
    prompt_tokens: 9,
    completion_tokens: 2,
    request_hash: sha256(body),
    response_hash: sha256(text),
  });
  expect(ack.wall_ms).toBeGreaterThanOrEqual(ack.ttft_ms ?? Infinity);
});

it("acks each node that a request was sent to: the one that refused, and the one that answered", async () => {
  const network = await clientNetwork();
  const refuses = await network.addNode(() => refusal(503, "node_busy"));
  const answers = await network.addNode();
  const client = await startClient(network);
  expect((await client.post()).headers.get("x-troop-node")).toBe(answers.id);
  const refused = await ackOf(network, refuses, 0);
  expect(refused).toMatchObject({ node: refuses.id, outcome: "engine_error" });
  expect(refused).not.toHaveProperty("response_hash");
  expect(await ackOf(network, answers, 0)).toMatchObject({
    node: answers.id,
    outcome: "completed",
  });
});

it("acks a stream that the app left, with what had come", async () => {
  const stream = openStream();
  const { network, node, client } = await startWarm(() => stream.response);
  stream.write(STREAM.slice(0, 55));
  const app = new AbortController();
  const answer = await client.post({ signal: app.signal });
  const first = await answer.body?.getReader().read();
  app.abort();
  expect(await ackOf(network, node, 1)).toMatchObject({
    outcome: "cancelled",
    response_hash: sha256(Buffer.from(first?.value ?? []).toString()),
  });
});

it("acks a request that the app left before the first byte", async () => {
  const { network, node, client } = await startWarm(() => new Promise<Response>(() => {}));
  const app = new AbortController();
  const posted = client.post({ signal: app.signal }).catch(() => "left");
  await node.seen.until((request) => node.seen.all.indexOf(request) === 1);
  app.abort();
  await posted;
  const ack = await ackOf(network, node, 1);
  expect(ack.outcome).toBe("cancelled");
  expect(ack).not.toHaveProperty("ttft_ms");
});

it("acks a stream that broke in the middle, and one that the node ended for want of budget", async () => {
  const stream = openStream();
  const { network, node, client } = await startWarm(() => stream.response);
  stream.write(STREAM.slice(0, 55));
  const answer = await client.post();
  stream.reset();
  expect(await answer.text()).toContain("stream_broken");
  expect(await ackOf(network, node, 1)).toMatchObject({ outcome: "engine_error" });

  const spent = `${STREAM.slice(0, 55)}data: {"error":{"message":"It ran out.","type":"server_error","param":null,"code":"budget_exhausted"}}\n\ndata: [DONE]\n\n`;
  node.answer = () => new Response(spent, SSE);
  expect(await (await client.post()).text()).toBe(spent);
  expect(await ackOf(network, node, 2)).toMatchObject({ outcome: "budget_exhausted" });
});

it("acks what runs when the client is stopped", async () => {
  const stream = openStream();
  const { network, node, client } = await startWarm(() => stream.response);
  stream.write("data: 1\n\n");
  const answer = await client.post();
  await client.stop();
  await answer.text().catch(() => "broken");
  const { seq } = node.seen.all[1] ?? expect.unreachable();
  expect(network.acks.all.filter((ack) => ack.seq === seq)).toMatchObject([
    { outcome: "cancelled" },
  ]);
});

it("keeps the ack of what runs when the client stops and the coordinator is away", async () => {
  const home = await openHome(await temporaryFolder());
  const { book, stop } = openAcks({
    home,
    coordinatorUrl: "http://127.0.0.1:9",
    submit: () => Promise.reject(new CoordinatorUnreachable("away")),
    clock: systemClock,
    say: (line) => expect.unreachable(line),
  });
  const sent = { ticket: "t", lease: crypto.randomUUID(), seq: 0, node: "n", request_hash: "h" };
  const ack = book.begin(sent, book.now());
  await stop();
  ack.end({ outcome: "completed" });
  expect(readOutbox(home.dir, "client")).toMatchObject({ waiting: 1 });
});

it("has written what ended before the next turn is over", async () => {
  const home = await openHome(await temporaryFolder());
  const { book, stop } = openAcks({
    home,
    coordinatorUrl: "http://127.0.0.1:9",
    submit: () => Promise.reject(new CoordinatorUnreachable("away")),
    clock: systemClock,
    say: (line) => expect.unreachable(line),
  });
  for (const seq of [0, 1, 2]) {
    const sent = { ticket: "t", lease: crypto.randomUUID(), seq, node: "n", request_hash: "h" };
    book.begin(sent, book.now()).end({ outcome: "completed" });
  }
  await new Promise(setImmediate);
  expect(readOutbox(home.dir, "client")).toMatchObject({ waiting: 3 });
  await stop();
});

it("keeps acks while the coordinator is away, over a restart, and hands each in", async () => {
  const { network, client } = await startWarm();
  const { answers } = network.coordinator;
  const take = answers["POST /transactions/submit"] ?? expect.unreachable();
  await network.acks.until(() => true);
  answers["POST /transactions/submit"] = () => problem("store_unavailable");
  for (let each = 0; each < 3; each++) await (await client.post()).text();
  await client.stop();
  expect(network.acks.all).toHaveLength(1);
  expect(readOutbox(client.home.dir, "client")).toEqual({ waiting: 3, unfinished: 0, refused: [] });

  answers["POST /transactions/submit"] = take;
  const again = await startClient(network, { home: client.home });
  await network.acks.until(() => network.acks.all.length === 4);
  await again.stop();
  expect(new Set(network.acks.all.map(({ lease, seq }) => `${lease}/${seq}`)).size).toBe(4);
  expect(readOutbox(client.home.dir, "client")).toEqual({ waiting: 0, unfinished: 0, refused: [] });
});

it("hands in after its next start what had ended when it was killed", async () => {
  const network = await clientNetwork();
  const node = await network.addNode();
  const { answers } = network.coordinator;
  const take = answers["POST /transactions/submit"] ?? expect.unreachable();
  const tried = Promise.withResolvers<void>();
  answers["POST /transactions/submit"] = () => {
    tried.resolve();
    return new Promise<Response>(() => {});
  };
  const folder = await mkdtemp(join(tmpdir(), "troop-killed-"));
  const script = fileURLToPath(import.meta.resolve("../client-process.ts"));
  const client = Bun.spawn([process.execPath, script, folder, network.coordinator.baseUrl], {
    stdout: "pipe",
    stderr: "inherit",
  });
  onTestFinished(() => client.kill("SIGKILL"));
  const { value } = await client.stdout.getReader().read();
  const url = Buffer.from(value ?? [])
    .toString()
    .trim();
  const headers = { "content-type": "application/json" };
  await (await fetch(url + CHAT, { method: "POST", headers, body: chatBody() })).text();
  await tried.promise;
  client.kill("SIGKILL");
  await client.exited;
  expect(network.acks.all).toEqual([]);

  answers["POST /transactions/submit"] = take;
  await startClient(network, { home: await openHome(folder) });
  expect(await ackOf(network, node, 0)).toMatchObject({ outcome: "completed" });
});

it("sets aside what the coordinator refuses, says so once, and goes on", async () => {
  const { network, client } = await startWarm();
  await network.acks.until(() => true);
  network.coordinator.answers["POST /transactions/submit"] = ({ body }) => {
    const { acks } = JSON.parse(body) as { acks: unknown[] };
    return Response.json({
      results: acks.map(() => ({ status: "refused", code: "lease_unknown" })),
    });
  };
  for (let each = 0; each < 2; each++) await (await client.post()).text();
  await client.stop();
  expect(client.said).toEqual(["The coordinator refused an ack (lease_unknown)."]);
  expect(readOutbox(client.home.dir, "client")).toEqual({
    waiting: 0,
    unfinished: 0,
    refused: [{ code: "lease_unknown", count: 2 }],
  });
});

it("serves also where it cannot have the file: a second client of one home says so, and acks all the same", async () => {
  const network = await clientNetwork();
  const node = await network.addNode();
  const home = await openHome(await temporaryFolder());
  const first = await startClient(network, { home });
  const second = await startClient(network, { home });
  expect(second.said).toEqual([expect.stringContaining("A client runs with this home already.")]);
  await (await second.post()).text();
  expect(await ackOf(network, node, 0)).toMatchObject({ outcome: "completed" });
  expect(first.said).toEqual([]);
});
