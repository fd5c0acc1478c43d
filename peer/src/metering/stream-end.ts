import type { EngineKind } from "#protocol/model-offer";
import type { ApiShape } from "./api-of-path";
import type { SseWatch } from "./sse-watch";

/** `told`: it failed, and the stream says so itself. `broken`: it stopped without its proper end. */
export type StreamEnd = "complete" | "told" | "broken";

const RESPONSES_ENDS: ReadonlySet<string> = new Set([
  "response.completed",
  "response.incomplete",
  "response.cancelled",
]);
const FINISH_REASON = /"finish_reason"\s*:\s*"/;

/**
 * Whether a stream whose bytes have ended is over the way this engine ends one: by itself, the end of a connection
 * says nothing (Ollama closes in good order when its runner has crashed).
 */
export function streamEnd(
  api: ApiShape,
  engine: EngineKind,
  watch: Pick<SseWatch, "isDone" | "isErrorTold" | "lastEvent" | "gap">,
  tail: () => string,
): StreamEnd {
  if (watch.isErrorTold) return "told";
  switch (api) {
    case "chat":
    case "completions":
      if (watch.isDone) return "complete";
      // Servers that only resemble OpenAI's leave [DONE] out; the four that are known here do not.
      return engine === "openai" && FINISH_REASON.test(tail()) ? "complete" : "broken";
    case "responses":
      if (watch.lastEvent === "response.failed") return "told";
      return RESPONSES_ENDS.has(watch.lastEvent) && watch.gap === "" ? "complete" : "broken";
    case "messages":
      return watch.lastEvent === "message_stop" && watch.gap === "" ? "complete" : "broken";
    default:
      // Nothing is known of how it ends; half an event is no end anywhere.
      return watch.gap === "" ? "complete" : "broken";
  }
}
