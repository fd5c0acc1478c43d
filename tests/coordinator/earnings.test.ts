import { expect, it } from "vitest";
import { Earnings } from "#protocol/statement";
import type { Heartbeat } from "#protocol/heartbeat";
import { useCoordinator } from "#support/coordinator";
import { newPeer } from "#support/test-peer";
import { type Member, membersOf } from "./members";

const coordinator = useCoordinator({ STARTER_CREDITS: "100" });
const { ackOf, authorize, join, receiptOf, serve, submit } = membersOf(coordinator);

async function earnings({ call, user }: Member, days = 30): Promise<Earnings> {
  return Earnings.parse(await (await call(`/users/${user}/earnings?days=${days}`)).json());
}

it("sums up what a user's node served by day, by model and by node, less what was disputed", async () => {
  const node = await serve("earn/model");
  const client = await join();
  const granted = await authorize(client, { model: "earn/model" });
  const receipts = [0, 1, 2].map((seq) => receiptOf(granted, { seq, completion_tokens: 10 }));
  await submit(node, [granted], receipts);
  const disputed = ackOf(node, granted, { request_hash: "x".repeat(43), wall_ms: 1 });
  await submit(client, [granted], { acks: [disputed] });

  const sums = { requests: 3, completion_tokens: 30, credits: "0.005", microcredits: 5_000 };
  // Of today alone what was served before midnight is none.
  const { by_day, by_node, ...rest } = await earnings(node, 2);
  expect(rest).toEqual({
    user_id: node.user,
    days: 2,
    total: sums,
    by_model: [{ model: "earn/model", ...sums }],
  });
  // More than one day only where the test ran over midnight.
  expect(by_day.reduce((total, day) => total + day.microcredits, 0)).toBe(5_000);
  expect(by_node).toMatchObject([{ node_id: node.identity.peerId, ...sums, live: true }]);
});

it("counts how often a node was chosen, and why it was passed over", async () => {
  const model = "earn/chosen";
  const offers = (state: "loaded" | "cold") => [{ id: model, engine: "ollama", state }] as const;
  const node = async (beat: Partial<Heartbeat>): Promise<Member> => {
    const peer = await newPeer(coordinator().url);
    const registration = await peer.register();
    await peer.beat(registration, { models: [...offers("loaded")], ...beat });
    return { ...peer, user: registration.user_id };
  };
  const first = await node({});
  await node({});
  await node({});
  const left = await node({});
  const busy = await node({ running: 9, waiting: 9 });
  const cold = await node({ models: [...offers("cold")] });
  const client = await join();
  const observed = [{ node_id: left.identity.peerId, failed: 3, full: 1 }];
  await authorize(client, { model, exclude: [left.identity.peerId], observed });

  const nodeOf = async (peer: Member) => (await earnings(peer)).by_node[0];
  await expect.poll(() => nodeOf(first)).toMatchObject({ chosen: 1, passed_over: {}, live: true });
  expect(await nodeOf(busy)).toMatchObject({ chosen: 0, passed_over: { busy: 1 } });
  expect(await nodeOf(cold)).toMatchObject({ chosen: 0, passed_over: { cold: 1 } });
  expect(await nodeOf(left)).toMatchObject({
    chosen: 0,
    passed_over: { left_out: 1, failed: 3, full: 1 },
  });
  expect(await earnings(client)).toMatchObject({ total: { requests: 0 }, by_node: [] });
});

it("says of a node that left that it is not live", async () => {
  const peer = await newPeer(coordinator().url);
  const registration = await peer.register();
  const member = { ...peer, user: registration.user_id };
  await peer.beat(registration);
  expect((await earnings(member)).by_node).toMatchObject([{ live: true, requests: 0 }]);
  await peer.beat(registration, { state: "leaving" });
  expect((await earnings(member)).by_node).toEqual([]);
});

it("shows earnings to their user only", async () => {
  const [owner, stranger] = [await join(), await join()];
  expect((await stranger.call(`/users/${owner.user}/earnings`)).status).toBe(404);
});
