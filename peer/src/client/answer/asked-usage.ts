import { createHash } from "node:crypto";
import type { EngineKind } from "#protocol/model-offer";
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  endOfString,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from "../../http/json-bytes";
import { apiOfPath } from "../../metering/api-of-path";

const ASK = Buffer.from('{"stream_options":{"include_usage":true},');
/** Of a longer body the app's own words have to do. */
const MOST_BYTES = 1_024 * 1_024;

/**
 * Engines that count tokens in a stream only where they are asked to, and then in one event at its end that can be taken
 * out again. Ollama's other API would put a count into every event; llama.cpp tells its counts unasked; of an engine that
 * is not known nobody can say what it does with a field that it does not know.
 */
const COUNT_WHEN_ASKED: Readonly<Partial<Record<EngineKind, ReadonlySet<string>>>> = {
  vllm: new Set(["chat", "completions"]),
  ollama: new Set(["chat"]),
  lmstudio: new Set(["chat"]),
};

export type AskedUsage = { readonly body: Buffer<ArrayBuffer>; readonly bodyHash: string };

export function countsWhenAsked(engine: EngineKind, target: string): boolean {
  return COUNT_WHEN_ASKED[engine]?.has(apiOfPath(target)) === true;
}

/**
 * The body of a request for a stream with one field more, in front of all others, which asks for the tokens that it takes;
 * every other byte stays. `undefined` where the app said itself what it wants, or no stream is asked for.
 */
export function askForUsage(headers: Headers, body: Buffer): AskedUsage | undefined {
  if (body[0] !== OPEN_BRACE || body.length > MOST_BYTES) return undefined;
  if (headers.has("content-encoding") || !isPlainStream(body)) return undefined;
  const asked = Buffer.concat([ASK, body.subarray(1)]);
  return { body: asked, bodyHash: createHash("sha256").update(asked).digest("base64url") };
}

/** Whether a JSON object says `"stream": true` itself, and nothing of `stream_options`. */
function isPlainStream(bytes: Buffer): boolean {
  let depth = 0;
  let key = "";
  let isKeyNext = false;
  let isStream = false;
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case QUOTE: {
        const end = endOfString(bytes, at + 1);
        if (depth === 1 && isKeyNext)
          key = bytes.toString("latin1", at + 1, Math.min(end, at + 32));
        at = end;
        break;
      }
      case OPEN_BRACE:
      case OPEN_BRACKET:
        depth += 1;
        isKeyNext = depth === 1;
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth -= 1;
        break;
      case COMMA:
        isKeyNext = depth === 1;
        break;
      case COLON:
        if (depth !== 1 || !isKeyNext) break;
        isKeyNext = false;
        if (key === "stream_options") return false;
        if (key === "stream") isStream = TRUE.test(bytes.toString("latin1", at + 1, at + 17));
        break;
      default:
    }
  }
  return isStream;
}

const TRUE = /^\s*true\s*[,}]/;
