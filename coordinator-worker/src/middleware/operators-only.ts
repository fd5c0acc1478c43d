import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../app-env";
import { audit } from "../audit";
import { TIERS } from "../domain/rate-tiers";
import { hitWindow, refuseRate } from "../limit-rate";
import { isOperator } from "../operator";
import { problem } from "../problem";
import { senderSubject } from "../sender-address";

/** Nobody but an operator sees what lies behind; where no operator has a password, nothing does. */
export function operatorsOnly() {
  return createMiddleware<AppEnv>(async function operatorsOnly(c, next) {
    const { adminPassword } = c.get("deps").config;
    if (adminPassword === undefined) {
      return problem(c, "not_found", { detail: "GET /openapi.json lists the paths." });
    }
    const admission = await hitWindow(c, TIERS.admin, senderSubject(c));
    if (!admission.admitted) return refuseRate(c, admission);
    if (!(await isOperator(c, adminPassword))) {
      audit(c, { type: "operator_refused" });
      c.header("www-authenticate", 'Basic realm="operator", charset="UTF-8"');
      return problem(c, "credentials_invalid");
    }
    return next();
  });
}
