import { expect, it } from "vitest";
import { type JournalEntry, journalLine, leftIn } from "#peer/outbox/journal-lines";

const COORDINATOR = "https://troop.example";
const ENTRIES: readonly JournalEntry[] = [
  ["ticket", 1, COORDINATOR, "one"],
  ["open", 1, 1, { seq: 1 }],
  ["ticket", 2, COORDINATOR, "two"],
  ["open", 2, 2, { seq: 2 }],
  ["add", 3, 1, "ack\n"],
  ["alive", 1_000],
  ["end", 1, { seq: 1, ms: 5 }],
  ["open", 4, 2, {}],
  ["alive", 2_000],
  ["gone", [4, 3]],
];
const JOURNAL = ENTRIES.map(journalLine).join("");

it("tells what is left, as it was known last", () => {
  const { items, aliveMs } = leftIn(JOURNAL);
  expect(Object.fromEntries(items)).toEqual({
    1: { coordinator: COORDINATOR, ticket: "one", claims: { seq: 1, ms: 5 }, isOpen: false },
    2: { coordinator: COORDINATOR, ticket: "two", claims: { seq: 2 }, isOpen: true },
  });
  expect(aliveMs).toBe(2_000);
});

it("does not take half a line for one, wherever it was cut", () => {
  for (let length = 0; length < JOURNAL.length; length += 1) {
    const cut = JOURNAL.slice(0, length);
    expect(leftIn(cut)).toEqual(leftIn(cut.slice(0, cut.lastIndexOf("\n") + 1)));
  }
  expect(leftIn("")).toEqual({ items: new Map(), aliveMs: undefined });
});

it.each(["\0".repeat(100), "null", '["end",1', "{}"])(
  "reads on behind a line that is none: %j",
  (none) => {
    const behind = journalLine(["gone", [1]]);
    expect([...leftIn(`${JOURNAL}${none}\n${behind}`).items.keys()]).toEqual([2]);
  },
);

it("does not make an item of an end whose beginning is not there, or without its ticket", () => {
  expect(leftIn(journalLine(["end", 7, {}])).items.size).toBe(0);
  expect(leftIn(journalLine(["add", 7, 1, {}])).items.size).toBe(0);
});
