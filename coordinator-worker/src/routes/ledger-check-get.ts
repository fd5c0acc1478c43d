import { createRoute } from "@hono/zod-openapi";
import { LEDGER_CHECK_PATH, LedgerCheck } from "#protocol/ledger-check";
import type { App } from "../app-env";
import { problemResponses } from "../problem";
import { checkLedger } from "../store/ledger-check";

const route = createRoute({
  operationId: "getLedgerCheck",
  method: "get",
  path: LEDGER_CHECK_PATH,
  description: "For operators: HTTP Basic, user `admin`, with the setting ADMIN_PASSWORD.",
  responses: {
    200: {
      description: "What an audit of the whole ledger found",
      content: { "application/json": { schema: LedgerCheck } },
    },
    ...problemResponses("credentials_invalid", "not_found", "rate_limited"),
  },
});

export function ledgerCheckGet(app: App): void {
  app.openapi(route, async (c) => {
    const { openAuditDb } = c.get("deps");
    return c.json(await checkLedger(openAuditDb()), 200);
  });
}
