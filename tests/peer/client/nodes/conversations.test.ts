import { expect, it } from "vitest";
import { createConversations } from "#peer/client/nodes/conversations";

function underTest() {
  const state = { nowMs: 0 };
  return { state, conversations: createConversations(() => state.nowMs) };
}

it("remembers where a conversation was last, and counts it there alone", () => {
  const { conversations } = underTest();
  conversations.pin(1, "a");
  conversations.pin(2, "a");
  conversations.pin(1, "b");
  expect([conversations.nodeOf(1), conversations.nodeOf(2)]).toEqual(["b", "a"]);
  expect([conversations.countOf("a"), conversations.countOf("b")]).toEqual([1, 1]);
  expect(conversations.nodeOf(3)).toBeUndefined();
});

it("forgets a conversation half an hour after its last turn", () => {
  const { state, conversations } = underTest();
  conversations.pin(1, "a");
  conversations.pin(2, "a");
  state.nowMs = 1_000;
  conversations.pin(1, "a");
  state.nowMs = 30 * 60_000;
  conversations.tend();
  expect([conversations.nodeOf(1), conversations.nodeOf(2)]).toEqual(["a", undefined]);
  expect(conversations.countOf("a")).toBe(1);
});

it("keeps no more than so many, the latest", () => {
  const { conversations } = underTest();
  for (let key = 0; key < 20_001; key++) conversations.pin(key, "a");
  expect(conversations.nodeOf(0)).toBeUndefined();
  expect(conversations.nodeOf(1)).toBe("a");
  expect(conversations.countOf("a")).toBe(20_000);
});
