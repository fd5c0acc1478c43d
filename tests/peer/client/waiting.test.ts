import { expect, it } from "vitest";
import { startWith } from "./client-under-test";
import { type Behaviour, refusal } from "./fake-node";

/** Refuses who would not wait, and answers who does, when its place is free. */
function full(waitMs: number, then: Promise<unknown> = Promise.resolve()): Behaviour {
  const headers = { "troop-busy": "busy", "troop-queue-wait-ms": String(waitMs) };
  return async (request) => {
    if (request.waitMs === 0) return refusal(503, "node_busy", headers);
    await then;
    return Response.json({ waited: waitMs });
  };
}

it("waits at the node with the shortest line where all are full", async () => {
  const { network, client } = await startWith(full(9_000), full(2_000), full(4_000));
  const answer = await client.post();
  expect([answer.status, await answer.json()]).toEqual([200, { waited: 2_000 }]);
  expect(answer.headers.get("x-troop-node")).toBe(network.nodes[1]?.id);
  const waits = network.nodes.flatMap(({ seen }) => seen.all.map(({ waitMs }) => waitMs));
  expect(waits.filter((ms) => ms > 0)).toHaveLength(1);
  // What is left of the half minute in which an app gets an answer.
  expect(Math.max(...waits)).toBeGreaterThan(20_000);
  expect(Math.max(...waits)).toBeLessThanOrEqual(30_000);
});

it("waits nowhere as long as one node has a place", async () => {
  const { network, client } = await startWith(full(10), () => Response.json({}));
  expect((await client.post()).status).toBe(200);
  expect(network.nodes[0]?.seen.all.map(({ waitMs }) => waitMs)).toEqual([0]);
});

it("tells the app at once that all are busy where no line is short enough, or there is none", async () => {
  const { client } = await startWith(full(60_000), () =>
    refusal(503, "node_busy", { "retry-after": "3", "troop-busy": "draining" }),
  );
  const answer = await client.post();
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ error: { code: "node_busy" } });
  expect(answer.headers.get("troop-queue-wait-ms")).toBeNull();
});

it("leaves the line when its app leaves", async () => {
  const { network, client } = await startWith(full(1_000, new Promise(() => {})));
  const leaving = new AbortController();
  const posted = client.post({ signal: leaving.signal }).catch((error: unknown) => error);
  const [node] = network.nodes;
  const waiting = await node?.seen.until(({ waitMs }) => waitMs > 0);
  leaving.abort();
  expect(await posted).toBeInstanceOf(Error);
  await expect.poll(() => waiting?.left.aborted).toBe(true);
});
