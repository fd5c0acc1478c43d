/** The header on answers that are the node's own: the engine's errors pass without it. Its value is the error's code. */
export const REFUSAL_HEADER = "troop-refusal";
