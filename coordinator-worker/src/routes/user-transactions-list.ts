import { createRoute } from "@hono/zod-openapi";
import { formatCredits } from "#protocol/microcredits";
import { UserId } from "#protocol/names";
import { type Transaction, Transactions } from "#protocol/statement";
import { z } from "zod";
import type { App } from "../app-env";
import { TIERS } from "../domain/rate-tiers";
import { enter, markAnd } from "../enter";
import { problem, problemResponses, PROOF_PROBLEMS } from "../problem";
import { readTransactions, type TransactionRow } from "../store/statements";

const route = createRoute({
  operationId: "listUserTransactions",
  method: "get",
  path: "/users/{id}/transactions",
  request: {
    params: z.object({ id: UserId }),
    query: z.object({
      limit: z.coerce.number().int().min(1).max(200).default(50),
      cursor: z
        .string()
        .regex(/^\d{1,18}$/)
        .optional(),
    }),
  },
  responses: {
    200: {
      description: "Newest first",
      content: { "application/json": { schema: Transactions } },
    },
    ...problemResponses("request_invalid", ...PROOF_PROBLEMS, "not_found", "rate_limited"),
  },
});

export function userTransactionsList(app: App): void {
  app.openapi(route, async (c) => {
    const { db } = c.get("deps");
    const { cursor, limit } = c.req.valid("query");
    const page = { userId: c.req.valid("param").id, beforeId: cursor, limit: limit + 1 };
    const entered = await enter(c, { tier: TIERS.read }, (proven) =>
      markAnd(c, proven, readTransactions(db, { ...page, peerId: proven.iss })),
    );
    if (!entered.ok) return entered.answer;
    const rows = entered.found.read;
    if (rows === undefined) return problem(c, "not_found");

    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const transactions: Transactions = {
      transactions: shown.map(toTransaction),
      ...(rows.length > limit && last !== undefined && { next_cursor: last.id }),
    };
    return c.json(transactions, 200);
  });
}

function toTransaction(row: TransactionRow): Transaction {
  return {
    id: row.id,
    type: row.type,
    available_change: formatCredits(row.available_change),
    available_change_microcredits: row.available_change,
    held_change: formatCredits(row.held_change),
    held_change_microcredits: row.held_change,
    escrow_change: formatCredits(row.escrow_change),
    escrow_change_microcredits: row.escrow_change,
    ...(row.lease_id !== null && { lease_id: row.lease_id }),
    ...(row.model !== null && { model: row.model }),
    at: new Date(row.at_ms).toISOString(),
  };
}
