import { expect, it } from "vitest";
import {
  MAX_BATCH,
  RefusalCode,
  SubmitAnswer,
  SubmitRequest,
  SubmitResult,
} from "#protocol/submit";
import { AMOUNT, boundsOf } from "./schema-bounds";

boundsOf(
  "SubmitRequest",
  SubmitRequest,
  { tickets: ["t"], receipts: ["r"] },
  {
    lists: { tickets: { min: 1, max: MAX_BATCH }, receipts: { min: 1, max: MAX_BATCH } },
    texts: { "tickets.0": { min: 1, max: 4_096 }, "receipts.0": { min: 1, max: 4_096 } },
  },
);

for (const status of ["settled", "already_settled"]) {
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

it.each(RefusalCode.options)("a receipt can be refused as %s", (code) => {
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
  ]) {
    expect(SubmitResult.safeParse(result).success).toBe(false);
  }
});
