import { expect, it } from "vitest";
import { attempt } from "#peer/client/call/attempt";
import { type Lease, openLease } from "#peer/client/leases/lease";
import { MODEL } from "../client-under-test";
import { portThatDropsConnections } from "../dropping-port";
import { openStream, refusal } from "../fake-node";

import { shown, underTest } from "./attempt-under-test";

it.each([
  ["comes whole", () => Response.json({ ok: true })],
  ["has no body", () => new Response(null, { status: 204 })],
  ["is empty", () => new Response("")],
  ["is the node's refusal", () => refusal(503, "node_busy")],
] as const)(
  "counts a request as running until its answer has ended: one that %s",
  async (_, say) => {
    const { lease, try: attempted } = await underTest(say);
    const answered = await attempted();
    expect(lease.running()).toBe(1);
    await shown(answered).text();
    expect(lease.running()).toBe(0);
  },
);

it("counts a request no longer when the node cannot be reached, and acks that it failed", async () => {
  const { node, lease, acked, request, try: attempted } = await underTest();
  await node.stop();
  expect(await attempted()).toBeUndefined();
  expect(lease.running()).toBe(0);
  expect(acked).toEqual([
    {
      lease: lease.id,
      seq: 0,
      node: node.id,
      request_hash: request.bodyHash,
      wall_ms: expect.any(Number),
      outcome: "engine_error",
    },
  ]);
});

it("counts a request no longer when its answer breaks off", async () => {
  const stream = openStream("application/json");
  const { lease, try: attempted } = await underTest(() => stream.response);
  stream.write("{");
  const answer = shown(await attempted());
  stream.reset();
  await answer.text().catch(() => "broken");
  expect(lease.running()).toBe(0);
});

it("counts a request no longer when the app stops reading its answer", async () => {
  const stream = openStream();
  const { node, lease, try: attempted } = await underTest(() => stream.response);
  stream.write("data: 1\n\n");
  const answer = shown(await attempted());
  expect(lease.running()).toBe(1);
  await answer.body?.cancel();
  expect(lease.running()).toBe(0);
  await new Promise<void>((resolve) => {
    const { left } = node.seen.all[0] ?? { left: AbortSignal.abort() };
    if (left.aborted) resolve();
    left.addEventListener("abort", () => resolve(), { once: true });
  });
});

it("acks once what no app was given", async () => {
  const { acked, try: attempted } = await underTest(() => refusal(402, "budget_exhausted"));
  const answered = await attempted();
  expect(acked).toEqual([]);
  answered?.cut();
  answered?.end();
  answered?.end();
  expect(acked.map(({ outcome }) => outcome)).toEqual(["budget_exhausted"]);
});

it("says of an answer that broke because the app went that the app left", async () => {
  const stream = openStream();
  const { app, acked, try: attempted } = await underTest(() => stream.response);
  stream.write("data: 1\n\n");
  const answer = shown(await attempted(), app.signal);
  app.abort();
  await answer.text();
  expect(acked.map(({ outcome }) => outcome)).toEqual(["cancelled"]);
});

it("sends nothing for an app that left before its turn", async () => {
  const { node, lease, app, acked, try: attempted } = await underTest();
  const attempting = attempted();
  app.abort();
  expect(await attempting).toBeUndefined();
  expect([lease.running(), node.seen.all, acked]).toEqual([0, [], []]);
});

it("leaves the node of an app that left while its proof was signed", async () => {
  const { lease, app, acked, deps, request } = await underTest(() => new Promise(() => {}));
  const [place] = lease.places;
  if (place === undefined) throw new Error("The lease names no node.");
  const sign: typeof deps.identity.sign = (bytes) => {
    app.abort();
    return deps.identity.sign(bytes);
  };
  const identity = { ...deps.identity, sign };
  expect(await attempt({ ...deps, identity }, request, place)).toBeUndefined();
  expect([lease.running(), acked.map(({ outcome }) => outcome)]).toEqual([0, ["cancelled"]]);
});

it("leaves the node of an app that left while its request was sent once more", async () => {
  const { node, lease, app, deps, request, try: attempted } = await underTest();
  await shown(await attempted()).text();
  node.forgetSessions();
  node.answer = () => new Promise(() => {});
  const [place] = lease.places;
  if (place === undefined) throw new Error("The lease names no node.");
  const sign: typeof deps.identity.sign = (bytes) => {
    app.abort();
    return deps.identity.sign(bytes);
  };
  const identity = { ...deps.identity, sign };
  expect(await attempt({ ...deps, identity }, request, place)).toBeUndefined();
  expect(lease.running()).toBe(0);
});

it("counts nothing where no proof can be signed", async () => {
  const { lease, acked, deps, request } = await underTest();
  const [place] = lease.places;
  const sign = (): never => {
    throw new Error("This key cannot sign.");
  };
  const identity = { ...deps.identity, sign };
  if (place === undefined) throw new Error("The lease names no node.");
  await expect(attempt({ ...deps, identity }, request, place)).rejects.toThrow();
  deps.acks.leaveAll();
  expect([lease.running(), acked]).toEqual([0, []]);
});

it("dials no host name, whatever the ranges", async () => {
  const { lease, deps, request, node } = await underTest();
  const [place] = lease.places;
  if (place === undefined) throw new Error("The lease names no node.");
  const urls = [node.url.replace("127.0.0.1", "localhost")];
  const everywhere = { ...deps, allowedRanges: () => ["0.0.0.0/0", "::/0"] };
  expect(
    await attempt(everywhere, request, { lease, node: { ...place.node, urls } }),
  ).toBeUndefined();
  expect(node.seen.all).toEqual([]);
  // What was never sent does not run.
  const known = { ...place.node, urls };
  for (let times = 0; times < 5; times++)
    await attempt(everywhere, request, { lease, node: known });
  expect(deps.order.isCrowded([known])).toBe(false);
});

it("waits for no larger budget where the node may not be dialled anyway", async () => {
  const { deps, request, granted } = await underTest();
  // The extension that all requests wait for never comes.
  const spent: Lease = openLease(
    MODEL,
    { ...granted, budget: 1 },
    Date.now,
    () => new Promise(() => {}),
  );
  spent.begin(1_000_000);
  const [place] = spent.places;
  if (place === undefined) throw new Error("The lease names no node.");
  const nowhere = { ...deps, allowedRanges: () => ["10.0.0.0/8"] };
  const attempting = attempt(nowhere, request, place);
  // What waits for a budget counts as what it will cost.
  expect(spent.burnRate()).toBe(1_000_000);
  expect(await attempting).toBeUndefined();
});

it("takes the first of a node's addresses that may be dialled", async () => {
  const { lease, deps, request, node } = await underTest();
  const [place] = lease.places;
  if (place === undefined) throw new Error("The lease names no node.");
  const urls = ["http://10.0.0.1:1", "http://[fd00::1]:1", node.url];
  const answered = await attempt(deps, request, { lease, node: { ...place.node, urls } });
  expect(await shown(answered).json()).toEqual({ from: "node" });
});

it("leaves a node whose machine takes no connection, after some of its usual round trips", async () => {
  const { lease, deps, request } = await underTest();
  const [place] = lease.places;
  if (place === undefined) throw new Error("The lease names no node.");
  deps.order.measured(place.node.node_id, 1);
  const urls = [await portThatDropsConnections()];
  expect(await attempt(deps, request, { lease, node: { ...place.node, urls } })).toBeUndefined();
  expect(lease.running()).toBe(0);
});

it("leaves a node that took the request and is gone, and waits for one that is only slow", async () => {
  const { node, deps, lease, try: attempted } = await underTest(() => new Promise(() => {}));
  const attempting = attempted();
  await node.seen.until(() => true);
  deps.silence.tick();
  deps.silence.tick();
  expect(await attempting).toBeUndefined();
  expect(lease.running()).toBe(0);
});

it("ends the stream of a node that is gone with an error, and remembers that it failed", async () => {
  const stream = openStream();
  const { node, deps, try: attempted } = await underTest(() => stream.response);
  stream.write("data: 1\n\n");
  const answer = shown(await attempted());
  expect(deps.order.isFailing(node.id)).toBe(false);
  const told = answer.text();
  deps.silence.tick();
  deps.silence.tick();
  expect(await told).toContain("stream_broken");
  expect(deps.order.isFailing(node.id)).toBe(true);
});

it("blames no node for an app that left in the middle", async () => {
  const stream = openStream();
  const { node, app, deps, try: attempted } = await underTest(() => stream.response);
  stream.write("data: 1\n\n");
  const answer = shown(await attempted(), app.signal);
  app.abort();
  await answer.text();
  expect(deps.order.isFailing(node.id)).toBe(false);
});
