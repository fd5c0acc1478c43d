import type { IncomingMessage } from "node:http";

const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * Whether a node's head is one that an app can be given: a status that HTTP has for an answer, and a body whose end
 * can be told from its breaking off. No node of this version answers otherwise.
 */
export function isAnswer({ statusCode = 0, headers }: IncomingMessage): boolean {
  if (statusCode < 200 || statusCode > 599) return false;
  const isFramed =
    headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
  return isFramed || WITHOUT_BODY.has(statusCode);
}
