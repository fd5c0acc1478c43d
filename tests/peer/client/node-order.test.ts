import { expect, it } from "vitest";
import { createNodeOrder } from "#peer/client/node-order";

const node = (node_id: string, expected_ms = 100) => ({ node_id, expected_ms });

function underTest() {
  const state = { nowMs: 0, random: 0 };
  // Alternates, so that ties would change places.
  const order = createNodeOrder(
    () => state.nowMs,
    () => (state.random = (state.random + 0.37) % 1),
  );
  const ids = (nodes: ReturnType<typeof node>[]) =>
    order.ranked(nodes).map(({ node_id }) => node_id);
  return { state, order, ids };
}

it("puts the node first that is expected to answer first, its round trip counted", () => {
  const { order, ids } = underTest();
  order.measured("far", 300);
  order.measured("near", 3);
  expect(ids([node("far", 100), node("near", 200), node("slow", 5_000)])).toEqual([
    "near",
    "far",
    "slow",
  ]);
});

it("spreads requests over nodes between which there is nothing to choose", () => {
  const { order, ids } = underTest();
  order.measured("a", 10);
  order.measured("b", 12);
  const first = Array.from({ length: 100 }, () => ids([node("a"), node("b")])[0]);
  const ofA = first.filter((id) => id === "a").length;
  expect(ofA).toBeGreaterThan(20);
  expect(ofA).toBeLessThan(80);
});

it("tries a node last for 15 seconds after it failed, unless it answers before", () => {
  const { state, order, ids } = underTest();
  const nodes = [node("a", 1), node("b", 1_000)];
  order.failed("a");
  expect(ids(nodes)).toEqual(["b", "a"]);
  expect(order.isFailing("a")).toBe(true);
  state.nowMs = 15_000;
  expect(ids(nodes)).toEqual(["a", "b"]);
  order.failed("a");
  order.answered("a");
  expect(ids(nodes)).toEqual(["a", "b"]);
});

it("tries a busy node last for as long as it says, which is no failure", () => {
  const { state, order, ids } = underTest();
  const nodes = [node("a", 1), node("b", 1_000)];
  order.busy("a", 3_000);
  expect(ids(nodes)).toEqual(["b", "a"]);
  expect(order.isFailing("a")).toBe(false);
  state.nowMs = 3_000;
  expect(ids(nodes)).toEqual(["a", "b"]);
});

it("tries the one first that will be free first where none is", () => {
  const { order, ids } = underTest();
  order.busy("a", 5_000);
  order.busy("b", 1_000);
  order.failed("c");
  expect(ids([node("a"), node("b"), node("c")])).toEqual(["b", "a", "c"]);
});
