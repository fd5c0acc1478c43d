import type { Transactions } from "#protocol/statement";
import { z } from "zod";
import { table } from "../cli/columns";
import { wholeNumber } from "../cli/flag-schemas";
import { command } from "../command";
import { printable } from "../coordinator/printable";
import { withEnrolment } from "../home/enrol";

export const transactions = command({
  schema: "troop.transactions/1",
  flags: {
    limit: {
      schema: wholeNumber(1, 100).default(20),
      value: "N",
      summary: "How many to list, at most 100 (default 20)",
    },
    cursor: {
      schema: z.string().min(1, "must not be empty").optional(),
      value: "CURSOR",
      summary: "Where the page before ended",
    },
  },
  run: async (ctx): Promise<Transactions> => {
    const { home, api } = await ctx.coordinator();
    const { limit, cursor } = ctx.flags;
    return withEnrolment(home, api, (registration) =>
      api.transactions(registration.user_id, { limit, cursor }),
    );
  },
  human: renderTransactions,
});

function renderTransactions({ transactions, next_cursor: next }: Transactions): string {
  if (transactions.length === 0) return "Nothing has moved your credits yet.\n";
  const rows = transactions.map((row) => [
    row.at,
    row.type,
    signed(row.available_change),
    signed(row.held_change),
    signed(row.escrow_change),
    row.model ?? "-",
    row.lease_id ?? "-",
  ]);
  const list = table(["TIME (UTC)", "WHAT", "AVAILABLE", "HELD", "ESCROW", "MODEL", "LEASE"], rows);
  return next === undefined
    ? list
    : `${list}\nMore: troop transactions --cursor ${printable(next)}\n`;
}

function signed(credits: string): string {
  return credits.startsWith("-") || credits === "0" ? credits : `+${credits}`;
}
