import { PROTOCOL_VERSION } from "#protocol/version";
import type { App } from "./app-env";

/** What `docs/openapi.json` and `/openapi.json` begin with. */
export const API_INFO = {
  openapi: "3.1.0",
  info: {
    title: "Monkey Troop coordinator",
    version: String(PROTOCOL_VERSION),
    description:
      "Introduces peers, signs tickets and keeps the ledger. Calls of peers carry a proof in the header `troop-proof`: see docs/protocol.md.",
    license: { name: "MIT", url: "https://opensource.org/license/mit" },
  },
};

/** OpenAPI 3.1 of every route that the app has, at `/openapi.json`. */
export function describeApi(app: App): void {
  app.doc31("/openapi.json", API_INFO);
}
