import { createServer } from "node:net";
import { expect, it } from "vitest";
import { chatBody, type ClientNetwork, MODEL, startWith } from "./client-under-test";
import { type Behaviour, openStream, refusal } from "./fake-node";

const GOOD: Behaviour = () => Response.json({ from: "the good one" });

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

it("says that nodes are busy rather than that another has the model no more", async () => {
  const { client } = await startWith(
    () => refusal(503, "node_busy"),
    () => refusal(404, "model_not_found"),
  );
  const answer = await client.post();
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ error: { code: "node_busy" } });
});
