import { expect, it } from "vitest";
import { createNodeOrder } from "#peer/client/nodes/node-order";

const node = (node_id: string, expected_ms = 100, own = false) => ({
  node: { node_id, expected_ms, own },
});
const nothing = (): boolean => false;

function underTest(prefer: readonly string[] = []) {
  const state = { nowMs: 1_000_000, random: 0 };
  // Alternates, so that ties would change places.
  const order = createNodeOrder(() => state.nowMs, {
    prefer,
    random: () => (state.random = (state.random + 0.37) % 1),
  });
  const next = (nodes: ReturnType<typeof node>[]) => order.next(nodes, nothing)?.node.node_id;
  const last = (nodes: ReturnType<typeof node>[]) => order.lastResort(nodes, nothing)?.node.node_id;
  return { state, order, next, last };
}

it("goes to the node that is expected to answer first, its round trip counted", () => {
  const { order, next } = underTest();
  order.measured("far", 300);
  order.measured("near", 3);
  expect(next([node("far", 100), node("near", 200), node("slow", 5_000)])).toBe("near");
});

it("goes to loaded models before cold ones", () => {
  const { order, next } = underTest();
  order.measured("loaded", 80);
  expect(next([node("cold", 10_000), node("loaded", 0)])).toBe("loaded");
});

it("goes to the user's own node before others, unless it takes no requests", () => {
  const { order, next } = underTest();
  const nodes = [node("quick", 0), node("own", 3_000, true), node("own too", 9_000, true)];
  expect(next(nodes)).toBe("own");
  order.busy("own", 1_000);
  order.failed("own too");
  expect(next(nodes)).toBe("quick");
});

it("goes to preferred nodes before all others, also before the user's own", () => {
  const { order, next } = underTest(["far"]);
  const nodes = [node("quick", 0), node("own", 0, true), node("far", 9_000)];
  expect(next(nodes)).toBe("far");
  order.busy("far", 1_000);
  expect(next(nodes)).toBe("own");
});

it("goes to no node twice in a request", () => {
  const { order } = underTest();
  const nodes = [node("a", 1), node("b", 1_000)];
  expect(order.next(nodes, (id) => id === "a")?.node.node_id).toBe("b");
  expect(order.next(nodes, () => true)).toBeUndefined();
  expect(order.lastResort(nodes, () => true)).toBeUndefined();
});

it("spreads requests over nodes between which there is nothing to choose", () => {
  const { order, next } = underTest();
  order.measured("a", 10);
  order.measured("b", 12);
  const first = Array.from({ length: 100 }, () => next([node("a"), node("b")]));
  const ofA = first.filter((id) => id === "a").length;
  expect(ofA).toBeGreaterThan(20);
  expect(ofA).toBeLessThan(80);
});

it("goes to the one with the least to do where there is nothing else to choose", () => {
  const { order, next } = underTest();
  const ended = order.begun("a");
  order.begun("b");
  order.begun("b");
  const nodes = [node("a"), node("b"), node("c")];
  expect(next(nodes)).toBe("c");
  order.begun("c");
  order.begun("c");
  expect(next(nodes)).toBe("a");
  ended();
  // Once: what ended has ended.
  ended();
  order.begun("a");
  order.begun("a");
  order.begun("a");
  expect(next(nodes)).not.toBe("a");
});

it("sends nothing to a node that failed before a probe has found it, and then one request at a time", () => {
  const { state, order, next } = underTest();
  const nodes = [node("a", 1), node("b", 1_000)];
  order.failed("a");
  expect(order.isFailing("a")).toBe(true);
  state.nowMs += 60_000;
  expect(next(nodes)).toBe("b");
  expect(order.takeProbe("a")).toBe(true);
  expect(order.takeProbe("a")).toBe(false);
  order.probed("a", true);
  expect(next(nodes)).toBe("a");
  order.begun("a");
  expect(next(nodes)).toBe("b");
  order.answered("a");
  expect(next(nodes)).toBe("a");
});

it("probes nodes that failed, and no others", () => {
  const { state, order } = underTest();
  order.answered("a");
  state.nowMs += 60_000;
  expect(order.takeProbe("a")).toBe(false);
  expect(order.takeProbe("never heard of")).toBe(false);
});

it("takes an engine that fails three times in a row for failing, and one that answers in between for sound", () => {
  const { order } = underTest();
  order.engineFailed("a");
  order.engineFailed("a");
  order.answered("a");
  order.engineFailed("a");
  order.engineFailed("a");
  expect(order.isFailing("a")).toBe(false);
  order.engineFailed("a");
  expect(order.isFailing("a")).toBe(true);
});

it("goes to no busy node for as long as it says, which is no failure", () => {
  const { state, order, next } = underTest();
  const nodes = [node("a", 1), node("b", 1_000)];
  order.busy("a", 3_000);
  expect(next(nodes)).toBe("b");
  expect(order.isFailing("a")).toBe(false);
  state.nowMs += 3_000;
  expect(next(nodes)).toBe("a");
});

it("believes no node that says it will be busy for hours", () => {
  const { state, order, next } = underTest();
  order.busy("a", 3_600_000);
  expect(next([node("a")])).toBeUndefined();
  state.nowMs += 60_000;
  expect(next([node("a")])).toBe("a");
});

it("as a last resort goes to the one that will be free first, and to failing ones after all busy ones", () => {
  const { order, next, last } = underTest();
  order.busy("a", 50_000);
  order.busy("b", 10_000);
  order.failed("c");
  expect(next([node("a"), node("b"), node("c")])).toBeUndefined();
  expect(last([node("a"), node("b"), node("c")])).toBe("b");
  expect(last([node("a"), node("c")])).toBe("a");
  expect(last([node("c")])).toBe("c");
});

it("lets connecting take as long as its round trips say, and a second and a half at most", () => {
  const { order } = underTest();
  expect(order.connectWithinMs("unknown")).toBe(1_400);
  order.measured("near", 2);
  expect(order.connectWithinMs("near")).toBe(500);
  order.measured("far", 80);
  // Half of the first round trip stands for how much they differ.
  expect(order.connectWithinMs("far")).toBe(4 * (80 + 4 * 40));
  for (let times = 0; times < 40; times++) order.measured("far", 125);
  expect(order.connectWithinMs("far")).toBeGreaterThan(480);
  expect(order.connectWithinMs("far")).toBeLessThan(520);
  order.measured("away", 5_000);
  expect(order.connectWithinMs("away")).toBe(1_400);
});

it("forgets what it knew of a node that was not used for an hour, and of none that is in use", () => {
  const { state, order, next } = underTest();
  order.measured("a", 900);
  order.measured("b", 900);
  order.begun("b");
  state.nowMs += 3_600_001;
  order.tend();
  expect(next([node("a", 500), node("b", 0)])).toBe("a");
});

it("goes on with a conversation where it was, for as long as that node takes requests", () => {
  const { state, order } = underTest();
  const nodes = [node("a"), node("b"), node("c", 5_000)];
  const next = (conversation: number) => order.next(nodes, nothing, conversation)?.node.node_id;
  order.begun("c", 7);
  expect(next(7)).toBe("c");
  order.busy("c", 1_000);
  expect(next(7)).not.toBe("c");
  state.nowMs += 1_000;
  expect(next(7)).toBe("c");
  order.begun("a", 7);
  expect(next(7)).toBe("a");
});

it("chooses the same node for a conversation again after all was forgotten", () => {
  const nodes = [node("a"), node("b"), node("c")];
  const chosen = () => {
    const { order } = underTest();
    return order.next(nodes, nothing, 12_345)?.node.node_id;
  };
  expect(new Set(Array.from({ length: 20 }, chosen)).size).toBe(1);
});

it("spreads conversations evenly, whatever their numbers, and to none that is slower", () => {
  const { order } = underTest();
  const nodes = [node("a"), node("b"), node("c"), node("d"), node("slow", 5_000)];
  const count = new Map<string, number>();
  for (let conversation = 0; conversation < 200; conversation++) {
    const id = order.next(nodes, nothing, conversation)?.node.node_id ?? "";
    order.begun(id, conversation)();
    count.set(id, (count.get(id) ?? 0) + 1);
  }
  expect([...count.keys()].toSorted()).toEqual(["a", "b", "c", "d"]);
  for (const times of count.values()) expect(Math.abs(times - 50)).toBeLessThanOrEqual(9);
});

it("finds nodes crowded by what runs on them, or by conversations", () => {
  const { order } = underTest();
  const nodes = [node("a").node, node("b").node];
  const ends = [1, 2, 3, 4].map(() => order.begun("a"));
  expect(order.isCrowded(nodes)).toBe(false);
  ends.push(order.begun("b"));
  expect(order.isCrowded(nodes)).toBe(true);
  for (const end of ends) end();
  for (let conversation = 0; conversation < 8; conversation++) order.begun("b", conversation)();
  expect(order.isCrowded(nodes)).toBe(false);
  order.begun("a", 9)();
  expect(order.isCrowded(nodes)).toBe(true);
});

it("counts what there is to tell of nodes, until it has been told", () => {
  const { order } = underTest();
  order.failed("a");
  order.engineFailed("a");
  order.busy("b", 1_000);
  order.answered("c");
  const told = order.observations();
  expect(told).toEqual([
    { node_id: "a", failed: 2, full: 0 },
    { node_id: "b", failed: 0, full: 1 },
  ]);
  order.busy("b", 1_000);
  order.observed(told);
  expect(order.observations()).toEqual([{ node_id: "b", failed: 0, full: 1 }]);
  // Told twice, by two calls at once.
  order.observed(told);
  order.observed(told);
  expect(order.observations()).toEqual([]);
});

it("tells of no more nodes and times than a call may hold", () => {
  const { order } = underTest();
  for (let count = 0; count < 40; count++) order.busy(`n${count}`, 1);
  for (let times = 0; times < 1_200; times++) order.failed("n0");
  const told = order.observations();
  expect(told).toHaveLength(32);
  expect(told[0]).toEqual({ node_id: "n0", failed: 1_000, full: 1 });
});

it("measures a node it uses every half minute, and one that failed not before it is back", () => {
  const { state, order } = underTest();
  expect([order.takeMeasure("a"), order.takeMeasure("a")]).toEqual([true, false]);
  state.nowMs += 29_999;
  expect(order.takeMeasure("a")).toBe(false);
  state.nowMs += 1;
  expect(order.takeMeasure("a")).toBe(true);
  order.measured("b", 5);
  expect(order.takeMeasure("b")).toBe(false);
  state.nowMs += 30_000;
  order.failed("b");
  expect(order.takeMeasure("b")).toBe(false);
});

it("believes a short round trip at once, and a long one slowly", () => {
  const { order, next } = underTest();
  const nodes = [node("a"), node("b")];
  order.measured("a", 900);
  order.measured("b", 200);
  expect(next(nodes)).toBe("b");
  order.measured("a", 2);
  expect(next(nodes)).toBe("a");
  order.measured("a", 300);
  expect(next(nodes)).toBe("a");
});
