import { expect, it } from "vitest";
import {
  Balance,
  Earnings,
  PassedOver,
  Transaction,
  TransactionType,
  Transactions,
} from "#protocol/statement";
import { AMOUNT, boundsOf } from "./schema-bounds";

const transaction = {
  id: "17",
  type: "settlement",
  available_change: "-1.5",
  available_change_microcredits: -1_500_000,
  held_change: "0",
  held_change_microcredits: 0,
  escrow_change: "1.5",
  escrow_change_microcredits: 1_500_000,
  lease_id: "7d4f1f86-3a0c-4b7b-9a52-6f0e4a1d2c3b",
  model: "llama3.1:8b",
  at: "2027-01-15T08:00:00.000Z",
};

const CREDITS = ["0", "1", "-1", "0.000001", "-0.1", "9007199254.740991"];
const NO_CREDITS = ["", "1.", ".5", "1.0000001", "+1", "1,5", "1e6", "--1", "1\n", "NaN", " 1"];

boundsOf(
  "Balance",
  Balance,
  {
    user_id: "usr_0123456789abcdefghjkmnpqrs",
    available: "58.5",
    available_microcredits: 58_500_000,
    held: "1.5",
    held_microcredits: 1_500_000,
    in_escrow: "0.25",
    in_escrow_microcredits: 250_000,
    total: "60.25",
    total_microcredits: 60_250_000,
  },
  {
    integers: {
      available_microcredits: AMOUNT,
      held_microcredits: AMOUNT,
      in_escrow_microcredits: AMOUNT,
      total_microcredits: AMOUNT,
    },
    plain: ["user_id", "available", "held", "in_escrow", "total"],
    takes: CREDITS.map((text) => [`${text} credits`, "total", text] as const),
    refuses: NO_CREDITS.map(
      (text) => [`${JSON.stringify(text)} for credits`, "total", text] as const,
    ),
  },
);

boundsOf("Transaction", Transaction, transaction, {
  optional: ["lease_id", "model"],
  integers: {
    available_change_microcredits: { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER },
    held_change_microcredits: { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER },
    escrow_change_microcredits: { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER },
  },
  refuses: [
    ["a type that nobody knows", "type", "gift"],
    ["an id that is no number", "id", "t17"],
    ["a negative id", "id", "-17"],
    ["a lease that is no UUID", "lease_id", "lease-1"],
    ["a date without a time", "at", "2027-01-15"],
  ],
});

boundsOf(
  "Transactions",
  Transactions,
  { transactions: [transaction], next_cursor: "c" },
  { optional: ["next_cursor"], takes: [["none at all", "transactions", []]] },
);

it.each(TransactionType.options)("a statement can hold a %s", (type) => {
  expect(Transaction.parse({ ...transaction, type }).type).toBe(type);
});

const served = { requests: 3, completion_tokens: 700, credits: "1.5", microcredits: 1_500_000 };
const node = {
  ...served,
  node_id: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
  name: "attic",
  live: true,
  chosen: 4,
  passed_over: { busy: 2 },
};

boundsOf(
  "Earnings",
  Earnings,
  {
    user_id: "usr_0123456789abcdefghjkmnpqrs",
    days: 30,
    total: served,
    by_day: [{ ...served, day: "2027-01-15" }],
    by_model: [{ ...served, model: "llama3.1:8b" }],
    by_node: [node],
  },
  {
    integers: {
      "total.requests": AMOUNT,
      "total.completion_tokens": AMOUNT,
      "total.microcredits": AMOUNT,
      "by_node.0.chosen": AMOUNT,
    },
    takes: [
      ["a node without a name", "by_node.0.name", undefined],
      ["a node that was never passed over", "by_node.0.passed_over", {}],
      ...PassedOver.options.map(
        (reason) => [`${reason} for a reason`, "by_node.0.passed_over", { [reason]: 1 }] as const,
      ),
    ],
    refuses: [
      ["a reason that nobody knows", "by_node.0.passed_over", { ugly: 1 }],
      ["a time for a day", "by_day.0.day", "2027-01-15T08:00:00.000Z"],
    ],
  },
);
