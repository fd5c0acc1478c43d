import type { Answer } from "../../http/answer";

const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * Whether a node's head is one that an app can be given: the end of its body can be told from its breaking off. No node of this version answers otherwise.
 */
export function isAnswer({ status, header }: Pick<Answer, "status" | "header">): boolean {
  const isFramed =
    header("content-length") !== undefined || header("transfer-encoding") !== undefined;
  return isFramed || WITHOUT_BODY.has(status);
}
