import { PROTOCOL_HEADER, PROTOCOL_VERSION } from "#protocol/version";
import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../app-env";
import { problem } from "../problem";

/** Refuses peers that speak another protocol version; browsers and curl name none and pass. */
export function protocolVersion() {
  return createMiddleware<AppEnv>(async function protocolVersion(c, next) {
    const spoken = c.req.header(PROTOCOL_HEADER);
    if (spoken === undefined || spoken === String(PROTOCOL_VERSION)) return next();
    return problem(c, "protocol_unsupported", {
      detail: `This coordinator speaks version ${PROTOCOL_VERSION}. Get the newest troop and start it again.`,
    });
  });
}
