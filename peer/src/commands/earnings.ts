import { counted } from "#protocol/counted";
import { z } from "zod";
import type { Earnings, PassedOver } from "#protocol/statement";
import { table } from "../cli/columns";
import { wholeNumber } from "../cli/flag-schemas";
import { command } from "../command";
import { withEnrolment } from "../home/enrol";

const VIEWS = ["day", "model", "node"] as const;

/** All of the statement, or one view of it. */
type Shown = Pick<Earnings, "user_id" | "days" | "total"> & Partial<Earnings>;

export const earnings = command({
  schema: "troop.earnings/1",
  flags: {
    days: {
      schema: wholeNumber(1, 40).default(30),
      value: "N",
      summary: "Of how many days, at most 40 (default 30)",
    },
    by: {
      schema: z.enum(VIEWS, "must be day, model or node").optional(),
      value: "WHAT",
      summary: "Only by day, model or node (default all three)",
    },
  },
  run: async (ctx): Promise<Shown> => {
    const { home, api } = await ctx.coordinator();
    const { days, by } = ctx.flags;
    const all = await withEnrolment(home, api, (registration) =>
      api.earnings(registration.user_id, { days }),
    );
    if (by === undefined) return all;
    const { user_id, total } = all;
    const view = `by_${by}` as const;
    return { user_id, days: all.days, total, [view]: all[view] };
  },
  human: renderEarnings,
});

function renderEarnings({ days, total, by_day, by_model, by_node }: Shown): string {
  const period = days === 1 ? "the last day" : `the last ${counted(days, "day")}`;
  const sum =
    total.requests === 0
      ? `Nothing was served in ${period}. "troop worker" lends this machine's engine.\n`
      : `${counted(total.credits, "credit")} in ${period}, for ${counted(total.requests, "request")} and ` +
        `${counted(total.completion_tokens, "token")}.\n`;
  const tables = [
    served(
      "DAY (UTC)",
      by_day?.map((row) => ({ ...row, name: row.day })),
    ),
    served(
      "MODEL",
      by_model?.map((row) => ({ ...row, name: row.model })),
    ),
    nodes(by_node),
  ];
  return [sum, ...tables.filter((text) => text !== "")].join("\n");
}

type Named = Earnings["total"] & { readonly name: string };

function served(head: string, rows: readonly Named[] = []): string {
  if (rows.length === 0) return "";
  const cells = rows.map((row) => [row.name, ...figures(row)]);
  return table([head, "CREDITS", "REQUESTS", "TOKENS"], cells);
}

function figures(row: Earnings["total"]): [string, string, string] {
  return [row.credits, String(row.requests), String(row.completion_tokens)];
}

function nodes(rows: Earnings["by_node"] = []): string {
  if (rows.length === 0) return "";
  const cells = rows.map((row) => [
    row.name ?? row.node_id.slice(0, 12),
    row.live ? "live" : "away",
    ...figures(row),
    String(row.chosen),
    reasonsOf(row.passed_over)
      .map(([reason, count]) => `${count} ${WORDS[reason]}`)
      .join(", ") || "-",
  ]);
  const head = ["NODE", "NOW", "CREDITS", "REQUESTS", "TOKENS", "CHOSEN", "PASSED OVER"];
  const seen = new Set(rows.flatMap((row) => reasonsOf(row.passed_over).map(([reason]) => reason)));
  const legend = [...seen].map((reason) => `  ${WORDS[reason]}: ${MEANINGS[reason]}\n`);
  return table(head, cells) + (legend.length === 0 ? "" : `\nPassed over:\n${legend.join("")}`);
}

/** The most frequent first. */
function reasonsOf(
  counts: Earnings["by_node"][number]["passed_over"],
): readonly (readonly [PassedOver, number])[] {
  const told = Object.entries(counts) as [PassedOver, number][];
  return told.toSorted(([, a], [, b]) => b - a);
}

const WORDS: Readonly<Record<PassedOver, string>> = {
  gone: "gone",
  left_out: "left out",
  busy: "busy",
  cold: "cold",
  slower: "slower",
  failed: "failed",
  full: "full",
};
const MEANINGS: Readonly<Record<PassedOver, string>> = {
  gone: "it had stopped reporting to the coordinator",
  left_out: "the client had just failed to be served by it",
  busy: "all its places were taken; a faster engine or --concurrency makes more",
  cold: "the model was not loaded there, and loading takes longer than others need",
  slower: "others were expected to answer sooner",
  failed: "a client that had its ticket got no answer from it",
  full: "a client that had its ticket was told that it is busy",
};
