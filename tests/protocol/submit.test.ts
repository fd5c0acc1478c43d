import { expect, it } from "vitest";
import { RefusalCode, SubmitAnswer, SubmitRequest, SubmitResult } from "#protocol/submit";
import { AMOUNT, boundsOf } from "./schema-bounds";

const MAX_LISTED = 10_000;

boundsOf(
  "SubmitRequest",
  SubmitRequest,
  { tickets: ["t"], receipts: [{}], acks: [{}] },
  {
    optional: ["receipts", "acks"],
    free: ["receipts", "acks"],
    lists: {
      tickets: { min: 1, max: MAX_LISTED },
      receipts: { min: 0, max: MAX_LISTED },
      acks: { min: 0, max: MAX_LISTED },
    },
  },
);

it("a batch holds an item: a receipt, or an ack", () => {
  expect(SubmitRequest.parse({ tickets: ["t"], acks: [{}] })).toEqual({
    tickets: ["t"],
    receipts: [],
    acks: [{}],
  });
  for (const none of [{}, { acks: [] }, { receipts: [], acks: [] }]) {
    expect(SubmitRequest.safeParse({ tickets: ["t"], ...none }).success).toBe(false);
  }
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
