import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from "./json-bytes";
import type { ModelScan } from "./model-scan";

const [SPACE, TAB, LINE_FEED, RETURN] = [32, 9, 10, 13];
/** Longer strings are no model's name, and no key that matters. */
const MOST_KEPT = 2_048;

/**
 * Finds the top-level `model` of a JSON object while it passes, wherever it stands; the last one counts, as in every
 * parser. Go's, Ollama's among them, also takes `Model` or `MODEL` for it: these are kept to be compared. Bytes inside strings are skipped by the runtime's own search, so a body of images costs little.
 */
export function createJsonModelScan(): ModelScan {
  let depth = 0;
  let isInString = false;
  let isEscaped = false;
  /** The string being read, as JSON without its quotes; `null` where it does not matter. */
  let text: string | null = null;
  let isKeyNext = false;
  let key = "";
  /** By key, which is `model` in any letters. */
  const named = new Map<string, string | undefined>();
  /** The object has come to its end; without one it is not whole, which is how large bodies are broken most. */
  let isOver = false;
  /** Some parsers read one value and leave what follows it, so a second one would name a model that nobody runs. */
  let isMoreThanOne = false;

  function beginString(): void {
    isInString = true;
    if (depth === 1 && isKeyNext) key = ""; // Also where the next one turns out too long to be kept.
    text = depth === 1 && (isKeyNext || isModel(key)) ? "" : null;
  }

  function endString(): void {
    isInString = false;
    if (text === null) return;
    const value = unquoted(text);
    if (isKeyNext) key = value ?? "";
    else named.set(key, value);
    text = null;
  }

  /** Reads on within a string; the result is where it stopped. */
  function string(chunk: Uint8Array, from: number): number {
    if (isEscaped) {
      isEscaped = false;
      keep(chunk, from, from + 1);
      return from + 1;
    }
    const quote = find(chunk, QUOTE, from);
    const until = quote === -1 ? chunk.length : quote;
    const backslash = find(chunk.subarray(0, until), BACKSLASH, from);
    if (backslash !== -1) {
      keep(chunk, from, backslash + 1);
      isEscaped = true;
      return backslash + 1;
    }
    keep(chunk, from, until);
    if (quote !== -1) endString();
    return until + 1;
  }

  function keep(chunk: Uint8Array, from: number, end: number): void {
    if (text === null) return;
    text += Buffer.from(chunk.subarray(from, end)).toString("latin1");
    if (text.length > MOST_KEPT) text = null;
  }

  function structure(byte: number | undefined): void {
    if (isOver && !isSpace(byte)) isMoreThanOne = true;
    switch (byte) {
      case QUOTE:
        beginString();
        break;
      case OPEN_BRACE:
        depth += 1;
        isKeyNext = depth === 1;
        break;
      case OPEN_BRACKET:
        depth += 1;
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth -= 1;
        if (depth === 0) isOver = true;
        break;
      case COMMA:
        if (depth === 1) isKeyNext = true;
        break;
      case COLON:
        // A key without a string behind it takes back an earlier one.
        if (depth === 1 && isKeyNext && isModel(key)) named.set(key, undefined);
        if (depth === 1) isKeyNext = false;
        break;
      default:
    }
  }

  return {
    feed(chunk) {
      for (let at = 0; at < chunk.length;) {
        if (isInString) {
          at = string(chunk, at);
        } else {
          structure(chunk[at]);
          at += 1;
        }
      }
    },
    model: () => (isMoreThanOne || !isOver ? undefined : named.get("model")),
    isAmbiguous() {
      const model = named.get("model");
      for (const [key, value] of named) if (isOtherModel(key, value, model)) return true;
      return false;
    },
  };
}

/** Whether a reader that does not mind the letters of `model` would take this field for it, and find another than `model`. */
export function isOtherModel(key: string, value: unknown, model: unknown): boolean {
  return isModel(key) && value !== model;
}

function isModel(key: string): boolean {
  return key.length === 5 && key.toLowerCase() === "model";
}

function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB || byte === LINE_FEED || byte === RETURN;
}

function find(chunk: Uint8Array, byte: number, from: number): number {
  return Uint8Array.prototype.indexOf.call(chunk, byte, from);
}

/** The bytes were kept as Latin-1; a JSON string is UTF-8. */
function unquoted(latin1: string): string | undefined {
  try {
    const value: unknown = JSON.parse(`"${Buffer.from(latin1, "latin1").toString("utf8")}"`);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined; // No JSON: the engine refuses it in its own words.
  }
}
