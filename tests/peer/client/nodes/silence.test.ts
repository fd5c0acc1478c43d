import { expect, it } from "vitest";
import type { NodeProbe } from "#peer/client/nodes/probe-node";
import { createSilenceWatch } from "#peer/client/nodes/silence";

const THERE: NodeProbe = { state: "there", roundTripMs: 1 };

function underTest(...answers: readonly NodeProbe["state"][]) {
  const asked: string[] = [];
  const watch = createSilenceWatch((url) => {
    asked.push(url);
    const state = answers[asked.length - 1] ?? "there";
    return Promise.resolve(state === "there" ? THERE : { state });
  });
  const ticks = async (times: number) => {
    for (let tick = 0; tick < times; tick++) {
      watch.tick();
      await Promise.resolve();
    }
  };
  return { asked, watch, ticks };
}

it("asks a node that is silent for a sign of life, once for all requests that wait for it", async () => {
  const { asked, watch, ticks } = underTest();
  watch.begin("http://a", () => {});
  watch.begin("http://a", () => {});
  await ticks(1);
  expect(asked).toEqual([]);
  await ticks(1);
  expect(asked).toEqual(["http://a"]);
});

it("asks nothing of a node whose bytes come", async () => {
  const { asked, watch, ticks } = underTest();
  const exchange = watch.begin("http://a", () => {});
  for (let times = 0; times < 20; times++) {
    await ticks(1);
    exchange.heard();
  }
  exchange.end();
  await ticks(20);
  expect(asked).toEqual([]);
});

it("waits for hours for a node that gives signs of life", async () => {
  const { asked, watch, ticks } = underTest();
  let cuts = 0;
  watch.begin("http://a", () => (cuts += 1));
  await ticks(3_600);
  expect(cuts).toBe(0);
  // Not each second, though.
  expect(asked.length).toBeLessThan(3_600 / 5 + 2);
});

it("cuts at once what waits for a node that cannot be reached, and nothing of others", async () => {
  const { watch, ticks } = underTest("away");
  const cuts: string[] = [];
  watch.begin("http://a", () => cuts.push("a"));
  watch.begin("http://a", () => cuts.push("a too"));
  const other = watch.begin("http://b", () => cuts.push("b"));
  await ticks(1);
  other.heard();
  await ticks(1);
  expect(cuts).toEqual(["a", "a too"]);
});

it("asks a machine that takes connections and answers nothing twice before it cuts", async () => {
  const { watch, ticks } = underTest("silent", "silent");
  let cuts = 0;
  watch.begin("http://a", () => (cuts += 1));
  await ticks(2);
  expect(cuts).toBe(0);
  await ticks(1);
  expect(cuts).toBe(1);
});

it("forgives one question that was missed", async () => {
  const { watch, ticks } = underTest("silent", "there", "silent", "there");
  let cuts = 0;
  watch.begin("http://a", () => (cuts += 1));
  await ticks(30);
  expect(cuts).toBe(0);
});

it("counts only the questions that were missed one after the other", async () => {
  const { watch, ticks } = underTest("silent", "silent");
  let cuts = 0;
  const exchange = watch.begin("http://a", () => (cuts += 1));
  await ticks(2);
  exchange.heard();
  await ticks(1);
  expect(cuts).toBe(0);
  await ticks(1);
  expect(cuts).toBe(0);
});

it("spares what was heard of meanwhile", async () => {
  const { watch, ticks } = underTest("silent", "away");
  let cuts = 0;
  watch.begin("http://a", () => (cuts += 1));
  const talking = watch.begin("http://a", () => (cuts += 100));
  await ticks(2);
  talking.heard();
  await ticks(1);
  expect(cuts).toBe(1);
});
