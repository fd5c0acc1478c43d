import type { ModelSpeed } from "#protocol/heartbeat";
import type { ReceiptClaims } from "#protocol/receipt";

/** How fast this node's models answered lately, from the requests that it served. */
export type MeasuredSpeeds = {
  /** A request has ended; `isCold`: its engine had to load the model first, which is no speed. */
  ended(receipt: ReceiptClaims, isCold: boolean): void;
  /** Of these models, as far as known. */
  readonly of: (modelIds: readonly string[]) => readonly ModelSpeed[];
};

/** What the newest request counts for. */
const WEIGHT = 0.2;
/** Fewer tokens, or less time, say more of the clock than of the engine. */
const LEAST_TOKENS = 16;
const LEAST_MS = 20;

type Speed = { prefill: number | undefined; decode: number | undefined };

export function createMeasuredSpeeds(): MeasuredSpeeds {
  const speeds = new Map<string, Speed>();

  return {
    ended(receipt, isCold) {
      const {
        outcome,
        ttft_ms: ttftMs,
        engine_ms: engineMs,
        prompt_tokens,
        completion_tokens,
      } = receipt;
      if (isCold || outcome !== "completed" || ttftMs === undefined) return;
      // An answer that comes in one piece does not tell one from the other.
      const decode = speedOf((completion_tokens ?? 0) - 1, engineMs - ttftMs);
      if (decode === undefined) return;
      const before = speeds.get(receipt.model);
      const prefill = speedOf(prompt_tokens ?? 0, ttftMs);
      speeds.set(receipt.model, {
        prefill: blend(before?.prefill, prefill),
        decode: blend(before?.decode, decode),
      });
    },
    of: (modelIds) =>
      modelIds.flatMap((model) => {
        const { prefill, decode } = speeds.get(model) ?? {};
        if (decode === undefined) return [];
        const decode_tokens_per_s = rounded(decode);
        if (prefill === undefined) return [{ model, decode_tokens_per_s }];
        return [{ model, decode_tokens_per_s, prefill_tokens_per_s: rounded(prefill) }];
      }),
  };
}

/** Tokens a second. */
function speedOf(tokens: number, ms: number): number | undefined {
  return tokens < LEAST_TOKENS || ms < LEAST_MS ? undefined : (tokens * 1_000) / ms;
}

function blend(before: number | undefined, now: number | undefined): number | undefined {
  if (before === undefined || now === undefined) return now ?? before;
  return before + WEIGHT * (now - before);
}

/** Two digits are all that it is worth. */
function rounded(speed: number): number {
  return Number(speed.toPrecision(2));
}
