import type { Policy } from "./policy";

/** Whether a model is to be lent; a pattern's `*` stands for any text, and capitals count for nothing. */
export function isOffered(
  modelId: string,
  { offeredModels, hiddenModels }: Pick<Policy, "offeredModels" | "hiddenModels">,
): boolean {
  if (hiddenModels.some((pattern) => fits(modelId, pattern))) return false;
  return offeredModels.length === 0 || offeredModels.some((pattern) => fits(modelId, pattern));
}

function fits(modelId: string, pattern: string): boolean {
  const parts = pattern.split("*").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "i").test(modelId);
}
