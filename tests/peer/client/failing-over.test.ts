import { createServer } from "node:net";
import { expect, it, vi } from "vitest";
import {
  chatBody,
  clientNetwork,
  type ClientNetwork,
  MODEL,
  startClient,
} from "./client-under-test";
import { type Behaviour, openStream, refusal } from "./fake-node";

const GOOD: Behaviour = () => Response.json({ from: "the good one" });

/** A client with a lease that names these nodes in this order. */
async function startWith(...answers: readonly Behaviour[]) {
  const network = await clientNetwork();
  for (const answer of answers) await network.addNode(answer);
  return { network, client: await startClient(network) };
}

function attemptsOf(answer: Response): string | null {
  return answer.headers.get("x-troop-attempts");
}

it("goes to the next node where one refuses the connection, without asking the coordinator again", async () => {
  const { network, client } = await startWith(GOOD, GOOD);
  await network.nodes[0]?.stop();
  const answer = await client.post();
  expect(await answer.json()).toEqual({ from: "the good one" });
  expect(answer.headers.get("x-troop-node")).toBe(network.nodes[1]?.id);
  expect(network.authorized[0]).not.toHaveProperty("exclude");
});

it.each([
  ["busy", () => refusal(503, "node_busy", { "retry-after": "1" })],
  ["without its engine", () => refusal(502, "engine_unreachable")],
  ["out of the model", () => refusal(404, "model_not_found")],
  ["failing", () => new Response("engine failed", { status: 500 })],
  ["overloaded", () => Response.json({ error: "slow down" }, { status: 429 })],
] as const)(
  "goes to the next node where one is %s, and the app sees one clean answer",
  async (_, bad) => {
    const { network, client } = await startWith(bad, GOOD);
    const answer = await client.post();
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ from: "the good one" });
    expect(attemptsOf(answer)).toBe("2");
    expect(network.nodes[1]?.seen.all[0]?.body).toEqual(network.nodes[0]?.seen.all[0]?.body);
  },
);

function events(text: string): Behaviour {
  return () => new Response(text, { headers: { "content-type": "text/event-stream" } });
}

const WORD = `data: {"id":"1","choices":[{"delta":{"content":"hi"}}]}\n\n`;
const TOLD = `data: {"error":{"message":"no"}}\n\ndata: [DONE]\n\n`;

it.each([
  ["chat", TOLD],
  ["LM Studio", `event: error\ndata: {"error":{"message":"no"}}\n\n`],
  ["messages", `event: error\ndata: {"type":"error","error":{"message":"no"}}\n\n`],
  ["responses", `event: response.failed\ndata: {"type":"response.failed"}\n\n`],
  ["a silent beginning", `: ping\n\n: ping\r\n\r\n${TOLD}`],
])("goes to the next node where a stream begins with its error: %s", async (_, text) => {
  const { client } = await startWith(events(text), GOOD);
  const answer = await client.post({ body: chatBody({ stream: true }) });
  expect(await answer.json()).toEqual({ from: "the good one" });
  expect(attemptsOf(answer)).toBe("2");
});

it.each([
  ["tells of its error later", WORD + TOLD],
  ["has an empty error", `data: {"error":null,"id":"1"}\n\ndata: [DONE]\n\n`],
  ["speaks of errors", `data: {"id":"{\\"error\\":{"}\n\ndata: [DONE]\n\n`],
])("stays with a stream that %s", async (_, text) => {
  const { client } = await startWith(events(text), GOOD);
  const answer = await client.post({ body: chatBody({ stream: true }) });
  expect([attemptsOf(answer), await answer.text()]).toEqual(["1", text]);
});

it("gives the app a stream that begins with its error as it is where no node does better", async () => {
  const { client } = await startWith(events(TOLD));
  const answer = await client.post({ body: chatBody({ stream: true }) });
  expect([answer.status, await answer.text()]).toEqual([200, TOLD]);
});

it("goes to the next node where one breaks off after its headers and before the first byte", async () => {
  const sockets = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      const head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
      socket.write(head, () => socket.destroy());
    });
  });
  await new Promise<void>((listening) => {
    sockets.listen(0, "127.0.0.1", listening);
  });
  const { network, client } = await startWith(GOOD, GOOD);
  const [first] = network.nodes;
  const address = sockets.address();
  if (first === undefined || address === null || typeof address === "string") throw new Error();
  network.nodes[0] = { ...first, url: `http://127.0.0.1:${address.port}` };
  const answer = await client.post();
  sockets.close();
  expect(await answer.json()).toEqual({ from: "the good one" });
  expect(attemptsOf(answer)).toBe("2");
});

it("waits for the first byte of an answer whose head came early", async () => {
  const early: Behaviour = () => {
    const stream = openStream("application/json");
    const later = (turns: number): void => {
      if (turns > 0) {
        setImmediate(() => later(turns - 1));
        return;
      }
      stream.write("{}");
      stream.end();
    };
    later(200);
    return stream.response;
  };
  const { client } = await startWith(early, GOOD);
  const answer = await client.post();
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({});
});

it("asks once for other nodes when all of the lease have failed, and leaves those out", async () => {
  const busy = () => refusal(503, "node_busy");
  const { network, client } = await startWith(busy, busy);
  const spare = await network.addNode(GOOD);
  const [one, two] = network.nodes;
  // The coordinator does not know the spare one until the client asks again.
  network.nodes.pop();
  const authorize = network.coordinator.answers["POST /authorize"];
  network.coordinator.answers["POST /authorize"] = async (call) => {
    const answer = authorize?.(call);
    if (!network.nodes.includes(spare)) network.nodes.push(spare);
    return answer ?? new Response(null, { status: 500 });
  };
  const answer = await client.post();
  expect(await answer.json()).toEqual({ from: "the good one" });
  expect(attemptsOf(answer)).toBe("3");
  expect(new Set(network.authorized[1]?.exclude)).toEqual(new Set([one?.id, two?.id]));
});

it("asks for other nodes where an engine failed, but not where two did", async () => {
  const failing = () => new Response("engine failed", { status: 500 });
  const { network, client } = await startWith(failing);
  expect((await client.post()).status).toBe(500);
  expect(network.authorized[1]?.exclude).toEqual([network.nodes[0]?.id]);

  const both = await startWith(failing, failing);
  expect((await both.client.post()).status).toBe(500);
  expect(both.network.authorized).toHaveLength(1);
});

it("tries three nodes at most, then tells the app when the first of them has room", async () => {
  const busy = () => refusal(503, "node_busy", { "retry-after": "7" });
  const sooner = () => refusal(503, "node_busy", { "retry-after": "4" });
  const { network, client } = await startWith(busy, sooner, busy, GOOD);
  const answer = await client.post();
  expect(answer.status).toBe(503);
  expect(answer.headers.get("retry-after")).toBe("4");
  expect(answer.headers.get("x-troop-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  const { error } = (await answer.json()) as { error: { code: string; message: string } };
  expect(error.code).toBe("node_busy");
  expect(error.message).toContain(`All 3 nodes that were asked for ${MODEL} are busy`);
  expect(network.nodes[3]?.seen.all).toEqual([]);
});

it("says so in OpenAI's shape where no node can be reached", async () => {
  const { network, client } = await startWith(GOOD);
  await network.nodes[0]?.stop();
  const answer = await client.post();
  expect(answer.status).toBe(503);
  expect(answer.headers.get("retry-after")).toBe("2");
  expect(await answer.json()).toMatchObject({ error: { code: "node_unreachable" } });
});

it("does not ask again and again for other nodes where there are none", async () => {
  const { network, client } = await startWith(() => refusal(503, "node_busy"));
  for (let times = 0; times < 5; times++) expect((await client.post()).status).toBe(503);
  expect(network.authorized).toHaveLength(2);
});

it("gives the app a refusal of the request itself at once", async () => {
  const { network, client } = await startWith(() => refusal(413, "request_too_large"), GOOD);
  const answer = await client.post();
  expect(answer.status).toBe(413);
  expect(network.nodes[1]?.seen.all).toEqual([]);
});

it("gives the app an engine's own error where no other node does better", async () => {
  const said = { error: { message: "bad", type: "server_error", param: null, code: 500 } };
  const { client } = await startWith(() => Response.json(said, { status: 500 }));
  const answer = await client.post();
  expect(answer.status).toBe(500);
  expect(await answer.json()).toEqual(said);
});

it("never goes to another node after the first byte", async () => {
  const stream = openStream();
  const { network, client } = await startWith(() => stream.response, GOOD);
  stream.write("data: {}\n\n");
  const answer = await client.post();
  stream.reset();
  expect(await answer.text()).toContain("stream_broken");
  expect(network.nodes[1]?.seen.all).toEqual([]);
});

it("takes a new ticket where a node takes the old one for spent, and tries the same node again", async () => {
  let isSpent = true;
  const { network, client } = await startWith((request) => {
    if (isSpent) return refusal(402, "budget_exhausted");
    return GOOD(request);
  });
  const [node] = network.nodes;
  if (node === undefined) throw new Error();
  network.coordinator.answers["POST /authorize"] = watchedAnswer(network, () => {
    isSpent = network.authorized.length < 2;
  });
  const answer = await client.post();
  expect(await answer.json()).toEqual({ from: "the good one" });
  const leases = node.seen.all.map(({ leaseId }) => leaseId);
  expect(new Set(leases).size).toBe(2);
});

function watchedAnswer(network: ClientNetwork, then: () => void) {
  const authorize = network.coordinator.answers["POST /authorize"];
  return async (call: Parameters<NonNullable<typeof authorize>>[0]): Promise<Response> => {
    const answer = (await authorize?.(call)) ?? new Response(null, { status: 500 });
    then();
    return answer;
  };
}

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

it("says that nodes are busy rather than that another has the model no more", async () => {
  const { client } = await startWith(
    () => refusal(503, "node_busy"),
    () => refusal(404, "model_not_found"),
  );
  const answer = await client.post();
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ error: { code: "node_busy" } });
});

it("takes a lease without the nodes that fail, for the requests to come", async () => {
  const gone = () => refusal(502, "engine_unreachable");
  const { network, client } = await startWith(gone, gone, GOOD);
  await (await client.post()).text();
  const [one, two] = network.nodes;
  await vi.waitFor(() => expect(network.authorized).toHaveLength(2));
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
