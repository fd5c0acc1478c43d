import { expect, it } from "vitest";
import {
  MAX_BATCH,
  MAX_BODY_BYTES,
  MAX_ITEM_LENGTH,
  RefusalCode,
  SubmitAnswer,
  SubmitRequest,
  SubmitResult,
} from "#protocol/submit";
import { AMOUNT, boundsOf } from "./schema-bounds";

const MAX_LISTED = 10_000;

boundsOf(
  "SubmitRequest",
  SubmitRequest,
  { tickets: ["t"], receipts: ["r"], acks: ["a"] },
  {
    optional: ["receipts", "acks"],
    lists: {
      tickets: { min: 1, max: MAX_LISTED },
      receipts: { min: 0, max: MAX_LISTED },
      acks: { min: 0, max: MAX_LISTED },
    },
  },
);

it("a batch holds an item: a receipt, or an ack", () => {
  expect(SubmitRequest.parse({ tickets: ["t"], acks: ["a"] })).toEqual({
    tickets: ["t"],
    receipts: [],
    acks: ["a"],
  });
  for (const none of [{}, { acks: [] }, { receipts: [], acks: [] }]) {
    expect(SubmitRequest.safeParse({ tickets: ["t"], ...none }).success).toBe(false);
  }
});

it("the largest batch that is worked on fits into a body", () => {
  const items = (letter: string) =>
    Array.from({ length: MAX_BATCH }, () => letter.repeat(MAX_ITEM_LENGTH));
  const body = JSON.stringify({ tickets: items("t"), receipts: items("r") });
  expect(body.length).toBeLessThan(MAX_BODY_BYTES);
});

for (const status of ["settled", "already_settled", "matched", "disputed"]) {
  boundsOf(
    `SubmitResult ${status}`,
    SubmitResult,
    { status, amount: 1 },
    {
      integers: { amount: AMOUNT },
      refuses: [["a status that nobody knows", "status", "paid"]],
    },
  );
}

it.each(["kept", "already_acked", "too_late"])("an ack can be %s", (status) => {
  expect(SubmitAnswer.parse({ results: [{ status }] })).toEqual({ results: [{ status }] });
});

it.each(RefusalCode.options)("an item can be refused as %s", (code) => {
  const result = { status: "refused", code };
  expect(SubmitAnswer.parse({ results: [result] })).toEqual({ results: [result] });
});

it("a refusal has a code that is known, and a settlement an amount", () => {
  for (const result of [
    { status: "refused" },
    { status: "refused", code: "because" },
    { status: "refused", amount: 1 },
    { status: "settled" },
    { status: "settled", code: "lease_unknown" },
    { status: "matched" },
  ]) {
    expect(SubmitResult.safeParse(result).success).toBe(false);
  }
});
