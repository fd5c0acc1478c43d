import fc from "fast-check";
import { expect, it } from "vitest";
import { chooseCandidates, observations, verdicts } from "#coordinator/domain/choose-candidates";
import type { LiveOffer } from "#coordinator/domain/live-offer";

const NOW = Date.UTC(2030, 0, 1);

function offer(node: string, rest: Partial<LiveOffer> = {}): LiveOffer {
  return {
    node_id: node,
    user_id: `usr_${"0".repeat(26)}`,
    urls: ["http://100.64.0.1:8080"],
    e2e_key: `key.of.${node}`,
    engine: "vllm",
    rate: 1_000_000,
    cold: false,
    running: 0,
    waiting: 0,
    concurrency: 4,
    seen_at_ms: NOW,
    ...rest,
  };
}

const choose = (offers: LiveOffer[], exclude: string[] = [], random = () => 0) =>
  chooseCandidates(offers, exclude, NOW, random).map((candidate) => candidate.node_id);

it("puts a loaded and idle node before a queued one, and that before a cold one", () => {
  const offers = [
    offer("cold", { cold: true }),
    offer("queued", { running: 4, waiting: 4 }),
    offer("idle"),
  ];
  expect(choose(offers)).toEqual(["idle", "queued", "cold"]);
});

it("prefers nodes that stay for as long as a ticket lasts, and names the others where there are no more", () => {
  const atS = (minutes: number) => NOW / 1_000 + minutes * 60;
  const offers = [
    offer("soon", { lends_until: atS(5) - 1 }),
    offer("later", { lends_until: atS(5), running: 4, waiting: 8 }),
    offer("open", { cold: true }),
  ];
  expect(choose(offers)).toEqual(["later", "open", "soon"]);
  const own = { user_id: `usr_${"1".repeat(26)}` };
  const mine = offer("mine", { ...own, lends_until: atS(1) });
  const chosen = chooseCandidates([...offers, mine], [], NOW, () => 0, own.user_id);
  expect(chosen[0]?.node_id).toBe("mine");
});

it("never names a dead node, an excluded one, or more than three", () => {
  const node = fc.record({
    id: fc.integer({ min: 0, max: 9 }).map((n) => `n${n}`),
    ageMs: fc.integer({ min: 0, max: 90_000 }),
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(node, { selector: (one) => one.id }),
      fc.array(fc.integer({ min: 0, max: 9 }).map((n) => `n${n}`)),
      (nodes, exclude) => {
        const chosen = choose(
          nodes.map(({ id, ageMs }) => offer(id, { seen_at_ms: NOW - ageMs })),
          exclude,
          Math.random,
        );
        const able = nodes.filter(({ id, ageMs }) => ageMs < 45_000 && !exclude.includes(id));
        expect(chosen.length).toBe(Math.min(3, able.length));
        expect(able.map(({ id }) => id)).toEqual(expect.arrayContaining(chosen));
      },
    ),
  );
});

it("breaks ties at random, so that load spreads", () => {
  const offers = ["a", "b", "c", "d"].map((id) => offer(id));
  const firsts = new Set(Array.from({ length: 200 }, () => choose(offers, [], Math.random)[0]));
  expect(firsts.size).toBe(4);
});

it("names preferred nodes before all others, then those of the first owner, and no dead or excluded ones", () => {
  const mine = `usr_${"1".repeat(26)}`;
  const offers = [
    offer("idle"),
    offer("mine", { user_id: mine, running: 9 }),
    offer("preferred", { cold: true }),
    offer("preferred and dead", { seen_at_ms: NOW - 3_600_000 }),
    offer("preferred and excluded"),
  ];
  const prefer = ["preferred", "preferred and dead", "preferred and excluded", "unknown"];
  const exclude = ["preferred and excluded"];
  const chosen = chooseCandidates(offers, exclude, NOW, () => 0, mine, prefer);
  expect(chosen.map(({ node_id }) => node_id)).toEqual(["preferred", "mine", "idle"]);
});

it("says of every node that was looked at why it was not chosen", () => {
  const offers = [
    offer("a"),
    offer("b"),
    offer("c"),
    offer("slower", { running: 3, concurrency: 4 }),
    offer("busy", { running: 4 }),
    offer("queued", { running: 2, waiting: 2 }),
    offer("cold", { cold: true }),
    offer("gone", { seen_at_ms: NOW - 3_600_000, running: 9 }),
    offer("failed", { cold: true }),
  ];
  const chosen = ["a", "b", "c"].map((node_id) => ({ node_id }));
  const said = verdicts(offers, chosen, ["failed", "gone"], NOW);
  expect(said.map(({ offer: { node_id }, verdict }) => [node_id, verdict])).toEqual([
    ["a", "chosen"],
    ["b", "chosen"],
    ["c", "chosen"],
    ["slower", "slower"],
    ["busy", "busy"],
    ["queued", "busy"],
    ["cold", "cold"],
    ["gone", "gone"],
    ["failed", "left_out"],
  ]);
});

it("takes from what clients saw what is about nodes that were looked at", () => {
  const observed = [
    { node_id: "a", failed: 2, full: 0 },
    { node_id: "b", failed: 1, full: 3 },
    { node_id: "unknown", failed: 9, full: 9 },
  ];
  const said = observations([offer("a"), offer("b"), offer("c")], observed);
  expect(said.map(({ offer: { node_id }, verdict, times }) => [node_id, verdict, times])).toEqual([
    ["a", "failed", 2],
    ["b", "failed", 1],
    ["b", "full", 3],
  ]);
});
