import type { AppContext } from "./app-env";
import { problem } from "./problem";

/**
 * The one answer about a private network to whoever does not belong to it: the same, byte for byte, whether it is there
 * or not.
 */
export function noSuchNetwork(c: AppContext) {
  return problem(c, "not_found", { detail: "You belong to no such network." });
}
