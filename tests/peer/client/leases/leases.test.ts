import { expect, it } from "vitest";
import { CoordinatorUnreachable } from "#peer/coordinator/errors";
import type { Lease } from "#peer/client/leases/lease";
import { CREDIT, leasesUnderTest, NODES, refused, settled } from "../leases-under-test";

it("takes one lease for requests that come together, and uses it for the ones to come", async () => {
  const { leases, asked } = leasesUnderTest();
  const [one, two] = await Promise.all([leases.get("m"), leases.get("m")]);
  expect(one).toBe(two);
  expect(await leases.get("m")).toBe(one);
  expect(asked).toHaveLength(1);
});

it("renews a ticket in use before it ends, so that no request waits", async () => {
  const { leases, asked, extended, pass } = leasesUnderTest();
  const lease = await leases.get("m");
  for (let minutes = 0; minutes < 10; minutes++) {
    await pass(60);
    expect(leases.isReady("m")).toBe(true);
    expect(await leases.get("m")).toBe(lease);
  }
  expect(asked).toHaveLength(1);
  expect(extended.length).toBeGreaterThanOrEqual(3);
  expect(extended.length).toBeLessThanOrEqual(5);
  expect(extended[1]?.ticket).toBe("ticket-1+");
});

it("lets the ticket of a model go that nobody asks for any more", async () => {
  const { leases, asked, extended, pass } = leasesUnderTest();
  await leases.get("m");
  await pass(1_200);
  expect(extended.length).toBeLessThanOrEqual(1);
  expect(leases.isReady("m")).toBe(false);
  await leases.get("m");
  expect(asked).toHaveLength(2);
});

it("extends the budget when more than half of it is spent, by what running requests need", async () => {
  const { leases, extended, told, pass } = leasesUnderTest();
  const lease = await leases.get("m");
  const ends = [lease.begin(CREDIT), lease.begin(CREDIT)];
  await pass(15);
  expect(extended).toEqual([]);
  await pass(2);
  expect(extended).toHaveLength(1);
  // Two seconds a second for the next two minutes, less what is left.
  expect(extended[0]?.add).toBe(240 * CREDIT - (60 - 2 * 16) * CREDIT);
  expect(told).toEqual([lease]);
  for (const end of ends) end();
});

it("looks after a lease that was replaced for as long as something of it runs", async () => {
  const { leases, extended, pass } = leasesUnderTest();
  const old = await leases.get("m");
  const end = old.begin(CREDIT);
  expect(await leases.anew(old)).not.toBe(old);
  await pass(40);
  expect(extended.map(({ ticket }) => ticket)).toContain("ticket-1");
  end();
  const before = extended.length;
  await pass(60);
  expect(extended).toHaveLength(before);
});

it("goes on with a ticket that cannot be renewed until it ends", async () => {
  const { state, leases, extended, pass, fail } = leasesUnderTest();
  const lease = await leases.get("m");
  fail(new CoordinatorUnreachable("away"));
  await pass(100);
  await leases.get("m");
  await pass(190);
  expect(await leases.get("m")).toBe(lease);
  expect(extended.length).toBeGreaterThan(1);
  state.nowMs = 299_999;
  expect(await leases.get("m")).toBe(lease);
  state.nowMs = 300_000;
  await expect(leases.get("m")).rejects.toThrow("away");
});

it("lets the node judge whether a lease is spent while nobody else can be asked", async () => {
  const { leases, pass, fail } = leasesUnderTest();
  const lease = await leases.get("m");
  lease.begin(CREDIT);
  fail(new CoordinatorUnreachable("away"));
  await pass(61);
  expect(leases.isReady("m")).toBe(false);
  expect(await leases.get("m")).toBe(lease);
});

it("keeps a ticket whose budget cannot grow, and does not keep asking", async () => {
  const { leases, extended, pass, fail } = leasesUnderTest();
  const lease = await leases.get("m");
  lease.begin(CREDIT);
  fail(refused("credits_exhausted"));
  await pass(50);
  expect(await leases.get("m")).toBe(lease);
  expect(extended).toHaveLength(1);
});

it("takes a new lease where the coordinator has lost the old one", async () => {
  const { leases, asked, pass, fail } = leasesUnderTest();
  const lease = await leases.get("m");
  await pass(100);
  await leases.get("m");
  fail(refused("lease_not_found"));
  await pass(81);
  fail(undefined);
  expect(await leases.get("m")).not.toBe(lease);
  expect(asked.length).toBeGreaterThan(1);
});

it("gives requests whose nodes failed together one other lease, without those nodes", async () => {
  const { leases, asked } = leasesUnderTest();
  const lease = await leases.get("m");
  const [a = "", b = ""] = NODES;
  const others = await Promise.all([leases.others(lease, [a, b]), leases.others(lease, [b, a])]);
  expect(others[0]).toBe(others[1]);
  expect(await leases.others(lease, [a, b])).toBe(others[0]);
  expect(asked).toHaveLength(2);
  expect(asked[1]?.exclude).toEqual([a, b]);
});

it("asks at most every two seconds for other nodes where there are none", async () => {
  const { state, leases, asked } = leasesUnderTest();
  const lease = await leases.get("m");
  expect(await leases.others(lease, NODES)).toBeUndefined();
  expect(await leases.others(lease, NODES)).toBeUndefined();
  expect(asked).toHaveLength(2);
  state.nowMs += 2_000;
  expect(await leases.others(lease, NODES)).toBeUndefined();
  expect(asked).toHaveLength(3);
});

it("is kept from nothing by a machine's clock that was ahead for a while", async () => {
  const { state, leases, asked, extended, pass, fail } = leasesUnderTest();
  const lease = await leases.get("m");
  state.wallAheadMs = 2 * 3_600_000;
  // Whatever is tried meanwhile is no reason not to try it afterwards.
  const end = lease.begin(CREDIT);
  fail(refused("proof_invalid"));
  await pass(3);
  await expect(leases.others(lease, NODES)).rejects.toThrow();
  state.wallAheadMs = 0;
  fail(undefined);
  await pass(40);
  expect(extended.length).toBeGreaterThan(1);
  // What runs cost so much a second, on whatever clock.
  expect(lease.spent()).toBe(43 * CREDIT);
  end();
  const calls = asked.length;
  expect(await leases.others(lease, NODES)).toBeUndefined();
  expect(asked).toHaveLength(calls + 1);
});

it("asks in the background where the nodes of a lease are now, and less often once it was told", async () => {
  const { state, leases, asked, fail } = leasesUnderTest();
  const lease = await leases.get("m");
  const secondsOfAsking = async (seconds: number, used: Lease): Promise<number[]> => {
    const at: number[] = [];
    for (let second = 0; second < seconds; second++) {
      const before = asked.length;
      leases.findAgain(used);
      await settled();
      if (asked.length > before) at.push(second);
      state.nowMs += 1_000;
    }
    return at;
  };
  fail(refused("model_unavailable"));
  expect(await secondsOfAsking(5, lease)).toEqual([0, 2, 4]);
  expect(await leases.get("m")).toBe(lease);
  fail(undefined);
  expect(await secondsOfAsking(3, lease)).toEqual([1]);
  const found = await leases.get("m");
  expect(found).not.toBe(lease);
  expect(asked.at(-1)?.budget).toBe(15 * CREDIT);
  expect(leases.places(found)).toHaveLength(NODES.length);
  expect(await secondsOfAsking(30, found)).toEqual([13]);
});

it("takes a lease without failing nodes in the background", async () => {
  const { leases, asked } = leasesUnderTest();
  const lease = await leases.get("m");
  leases.avoid(lease, NODES.slice(0, 2));
  await settled();
  const next = await leases.get("m");
  expect(next.places.map(({ node }) => node.node_id)).toEqual(NODES.slice(2));
  expect(asked).toHaveLength(2);
});

it("asks for more once for each half that is spent, however much that was before", async () => {
  const { leases, extended, pass } = leasesUnderTest();
  for (let minutes = 0; minutes < 10; minutes++) {
    const end = (await leases.get("m")).begin(CREDIT);
    await pass(60);
    end();
  }
  // 600 credits, some 60 at a time.
  expect(extended.length).toBeGreaterThanOrEqual(8);
  expect(extended.length).toBeLessThanOrEqual(11);
});

it("has enough for a thousand streams that start at once, before they have spent what there is", async () => {
  const { leases, asked, pass } = leasesUnderTest();
  const leasesTaken = await Promise.all(Array.from({ length: 1_000 }, async () => leases.get("m")));
  for (const lease of leasesTaken) lease.begin(CREDIT);
  for (let turns = 0; turns < 10; turns++) await settled();
  const [lease] = leasesTaken;
  expect((lease?.budget() ?? 0) - (lease?.spent() ?? 0)).toBeGreaterThan(2_000 * CREDIT);
  await pass(300);
  expect((lease?.budget() ?? 0) - (lease?.spent() ?? 0)).toBeGreaterThan(0);
  expect(asked).toHaveLength(1);
});

it("has enough for many streams that start after a long quiet session", async () => {
  const { leases, asked, pass } = leasesUnderTest();
  const quiet = (await leases.get("m")).begin(CREDIT);
  await pass(200);
  quiet();
  const lease = await leases.get("m");
  for (let streams = 0; streams < 1_000; streams++) (await leases.get("m")).begin(CREDIT);
  for (let turns = 0; turns < 10; turns++) await settled();
  expect(lease.budget() - lease.spent()).toBeGreaterThan(2_000 * CREDIT);
  expect(asked).toHaveLength(1);
});

it("takes what a poor user has, and does not keep asking for more", async () => {
  const { state, leases, extended, pass } = leasesUnderTest();
  state.budget = 10 * CREDIT;
  state.balance = 0;
  const lease = await leases.get("m");
  lease.begin(CREDIT);
  await pass(9);
  expect(await leases.get("m")).toBe(lease);
  expect(extended).toHaveLength(1);
});

it("keeps an old ticket where no new one is to be had, since it holds all that the user has", async () => {
  const { state, leases, asked, extended, pass, fail } = leasesUnderTest();
  const lease = await leases.get("m");
  for (let minutes = 0; minutes < 20; minutes++) {
    await pass(60);
    await leases.get("m");
  }
  const before = extended.length;
  state.balance = 0;
  fail(refused("credits_exhausted"));
  asked.length = 0;
  await pass(100);
  await leases.get("m");
  await pass(30);
  expect(asked.length).toBeGreaterThan(0);
  expect(extended.length).toBeGreaterThan(before);
  expect(await leases.get("m")).toBe(lease);
});

it("goes on with its ticket while the coordinator's stores are away", async () => {
  const { leases, pass, fail } = leasesUnderTest();
  const lease = await leases.get("m");
  lease.begin(CREDIT);
  fail(refused("store_unavailable"));
  await pass(61);
  expect(await leases.get("m")).toBe(lease);
});

it("asks for the nodes again that the user prefers, and for two at most that conversations go back to", async () => {
  const counts = new Map([
    [NODES[0], 1],
    [NODES[1], 3],
    [NODES[2], 2],
  ]);
  const preferred = "p".repeat(43);
  const { leases, asked, pass } = leasesUnderTest({
    prefer: () => [preferred],
    conversationsOf: (id) => counts.get(id) ?? 0,
  });
  await leases.get("m");
  expect(asked[0]?.prefer).toEqual([preferred]);
  for (let minutes = 0; minutes < 22; minutes++) {
    await pass(60);
    await leases.get("m");
  }
  expect(asked).toHaveLength(2);
  expect(asked[1]?.prefer).toEqual([preferred, NODES[1], NODES[2]]);
});
