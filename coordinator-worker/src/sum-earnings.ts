import { formatCredits } from "#protocol/microcredits";
import type { Earnings, PassedOver } from "#protocol/statement";
import type { Choices } from "./store/choices";
import type { EarningsRow } from "./store/earnings";

/** Puts together what the ledger says was earned and what was counted of nodes that were looked at. */
export function sumEarnings(
  asked: { readonly userId: string; readonly days: number },
  rows: readonly EarningsRow[],
  choices: Choices,
  live: ReadonlySet<string>,
): Earnings {
  const part = (name: EarningsRow["part"]) => rows.filter((row) => row.part === name);
  const byEarnings = (a: EarningsRow, b: EarningsRow) =>
    b.microcredits - a.microcredits || b.requests - a.requests || a.key.localeCompare(b.key);
  const days = part("day");
  return {
    user_id: asked.userId,
    days: asked.days,
    total: served({
      requests: sum(days, "requests"),
      completion_tokens: sum(days, "completion_tokens"),
      microcredits: sum(days, "microcredits"),
    }),
    by_day: days
      .toSorted((a, b) => b.key.localeCompare(a.key))
      .map((row) => ({ day: row.key, ...served(row) })),
    by_model: part("model")
      .toSorted(byEarnings)
      .map((row) => ({ model: row.key, ...served(row) })),
    by_node: part("node")
      // A peer that is only a client has nothing to say here.
      .filter((row) => row.requests > 0 || choices.has(row.key) || live.has(row.key))
      .toSorted(byEarnings)
      .map((row) => {
        const { chosen = 0, ...passedOver } = Object.fromEntries(choices.get(row.key) ?? []);
        return {
          node_id: row.key,
          ...(row.name !== null && { name: row.name }),
          ...served(row),
          live: live.has(row.key),
          chosen,
          passed_over: passedOver as Partial<Record<PassedOver, number>>,
        };
      }),
  };
}

type Sums = Pick<EarningsRow, "requests" | "completion_tokens" | "microcredits">;

function served({ requests, completion_tokens, microcredits }: Sums) {
  return { requests, completion_tokens, credits: formatCredits(microcredits), microcredits };
}

function sum(rows: readonly Sums[], what: keyof Sums): number {
  return rows.reduce((total, row) => total + row[what], 0);
}
