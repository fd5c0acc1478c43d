import { expect, it, onTestFinished, vi } from "vitest";
import type { Lease } from "#peer/client/leases/lease";
import { CoordinatorUnreachable } from "#peer/coordinator/errors";
import { clientNetwork, startClient } from "./client-under-test";
import { refusal } from "./fake-node";
import { CREDIT, leasesUnderTest, settled } from "./leases-under-test";

/** Takes the lease so many times at once; the result counts those that have begun. */
function takeAll(lease: Lease, times: number, rate: number = CREDIT): () => number {
  let begun = 0;
  for (let count = 0; count < times; count++) {
    void Promise.resolve(lease.take(rate)).then(() => (begun += 1));
  }
  return () => begun;
}

it("a thousand that begin at once wait for the larger budget, which is asked for once and for all of them", async () => {
  const { leases, extended, asked, holdExtensions } = leasesUnderTest();
  const lease = await leases.get("m");
  const release = holdExtensions();
  const begun = takeAll(lease, 1_000);
  await settled();
  await settled();
  // 60 credits, for two seconds.
  expect(begun()).toBe(30);
  release();
  await expect.poll(begun).toBe(1_000);
  expect(extended.map(({ add }) => add)).toEqual([(1_000 * 120 - 60) * CREDIT]);
  expect(asked).toHaveLength(1);
});

it("one request begins at once, however much it costs, and one that costs nothing does", async () => {
  const { leases, holdExtensions } = leasesUnderTest();
  const lease = await leases.get("m");
  holdExtensions();
  const begun = takeAll(lease, 2, 100 * CREDIT);
  const free = takeAll(lease, 5, 0);
  await settled();
  await settled();
  expect([begun(), free()]).toEqual([1, 5]);
});

it.each([
  ["the coordinator is away", new CoordinatorUnreachable("away")],
  ["there are no more credits", undefined],
])("requests go on with what there is where %s", async (_, error) => {
  const { state, leases, extended, fail, holdExtensions } = leasesUnderTest();
  const lease = await leases.get("m");
  const release = holdExtensions();
  state.balance = 0;
  fail(error);
  const begun = takeAll(lease, 100);
  await settled();
  expect(begun()).toBe(30);
  release();
  await expect.poll(begun).toBe(100);
  expect(extended).toHaveLength(1);
});

it("a coordinator that does not answer holds requests for ten seconds and no longer", async () => {
  const { state, leases, holdExtensions } = leasesUnderTest();
  const lease = await leases.get("m");
  holdExtensions();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const begun = takeAll(lease, 31);
  state.nowMs += 9_999;
  await vi.advanceTimersByTimeAsync(9_999);
  expect(begun()).toBe(30);
  state.nowMs += 1;
  await vi.advanceTimersByTimeAsync(1);
  expect(begun()).toBe(31);
});

it("a lease that is spent while its extension is under way is waited for, not replaced", async () => {
  const { state, leases, asked, holdExtensions } = leasesUnderTest();
  const lease = await leases.get("m");
  const release = holdExtensions();
  lease.begin(60 * CREDIT);
  state.nowMs += 2_000;
  expect(leases.isReady("m")).toBe(false);
  const next = leases.get("m");
  await settled();
  release();
  expect(await next).toBe(lease);
  expect(asked).toHaveLength(1);
});

it("a spent lease whose extension does not come is replaced after ten seconds", async () => {
  const { state, leases, asked, holdExtensions } = leasesUnderTest();
  const lease = await leases.get("m");
  holdExtensions();
  lease.begin(60 * CREDIT);
  state.nowMs += 2_000;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const next = leases.get("m");
  await vi.advanceTimersByTimeAsync(9_999);
  expect(asked).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(await next).not.toBe(lease);
  expect(asked).toHaveLength(2);
});

it("a node that takes a lease for spent is shown the larger ticket that came meanwhile", async () => {
  const { leases, asked, holdExtensions } = leasesUnderTest();
  const lease = await leases.get("m");
  const shown = lease.ticket();
  const release = holdExtensions();
  lease.begin(60 * CREDIT);
  const next = leases.anew(lease, shown);
  await settled();
  release();
  expect(await next).toBe(lease);
  expect(await leases.anew(lease, shown)).toBe(lease);
  expect(asked).toHaveLength(1);
  // The larger one, too, was not enough.
  expect(await leases.anew(lease, lease.ticket())).not.toBe(lease);
});

it("an app's request that a node refuses for a spent lease goes there again once the lease is larger", async () => {
  const network = await clientNetwork();
  network.budget = CREDIT;
  const hasRefused = Promise.withResolvers<void>();
  const extend = network.coordinator.answers["POST /authorize/extend"];
  network.coordinator.answers["POST /authorize/extend"] = async (call) => {
    await hasRefused.promise;
    return (await extend?.(call)) ?? expect.unreachable();
  };
  const node = await network.addNode(() => {
    node.answer = () => Response.json({ from: "node" });
    hasRefused.resolve();
    return refusal(402, "budget_exhausted");
  });
  const client = await startClient(network);
  const answer = await client.post();
  expect(await answer.json()).toEqual({ from: "node" });
  expect(answer.headers.get("x-troop-attempts")).toBe("2");
  expect(new Set(node.seen.all.map(({ leaseId }) => leaseId)).size).toBe(1);
  expect(network.authorized).toHaveLength(1);
});
