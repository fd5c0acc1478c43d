import { createHash } from "node:crypto";
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  endOfString,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from "./json-bytes";

const IS_MODEL_PART = /^content-disposition:[^\r\n]*;\s*name="?model"?\s*(?:;|$)/im;

/** From the first byte of a value to the one behind its last. */
type Span = readonly [start: number, end: number];

export type Renamed = { readonly body: Buffer<ArrayBuffer>; readonly hash: string };

/**
 * The body with another name in place of the model's, all other bytes as they were; `undefined` where the name is not
 * found, above all because the body is packed.
 */
export function renameModel(
  headers: Headers,
  bytes: Buffer,
  from: string,
  to: string,
): Renamed | undefined {
  const encoding = headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity") return undefined;
  const boundary = boundaryOf(headers);
  const isForm = boundary !== undefined;
  const spans = (isForm ? formSpans(bytes, boundary) : jsonSpans(bytes)).filter((span) => {
    const text = bytes.toString("utf8", ...span);
    return (isForm ? text : parsed(text)) === from;
  });
  if (spans.length === 0) return undefined;
  const name = Buffer.from(isForm ? to : JSON.stringify(to));
  const pieces: Buffer[] = [];
  let at = 0;
  for (const [start, end] of spans) {
    pieces.push(bytes.subarray(at, start), name);
    at = end;
  }
  const renamed = Buffer.concat([...pieces, bytes.subarray(at)]);
  return { body: renamed, hash: createHash("sha256").update(renamed).digest("base64url") };
}

function boundaryOf(headers: Headers): string | undefined {
  const type = headers.get("content-type") ?? "";
  const match = /^multipart\/form-data;.*?boundary=(?:"([^"]{1,70})"|([^\s;]{1,70}))/i.exec(type);
  return match?.[1] ?? match?.[2];
}

/** The content of each part that is called `model`. */
function formSpans(body: Buffer, boundary: string): Span[] {
  const spans: Span[] = [];
  const delimiter = `--${boundary}`;
  for (let at = body.indexOf(delimiter); at !== -1;) {
    const headersEnd = body.indexOf("\r\n\r\n", at);
    // A part without content has its delimiter in the second half of the empty line.
    const next = headersEnd === -1 ? -1 : body.indexOf(`\r\n${delimiter}`, headersEnd + 2);
    if (next === -1) break;
    const isModel = IS_MODEL_PART.test(
      body.toString("latin1", at + delimiter.length + 2, headersEnd),
    );
    if (isModel) spans.push([headersEnd + 4, Math.max(headersEnd + 4, next)]);
    at = next + 2;
  }
  return spans;
}

/** The strings behind the top-level keys that some engine takes for `model`, quotes and all. */
function jsonSpans(body: Buffer): Span[] {
  const spans: Span[] = [];
  let depth = 0;
  let isKeyNext = false;
  let key = "";
  for (let at = 0; at < body.length; at++) {
    switch (body[at]) {
      case QUOTE: {
        const end = Math.min(body.length, endOfString(body, at + 1) + 1);
        if (depth === 1 && isKeyNext) key = parsed(body.toString("utf8", at, end)) ?? "";
        else if (depth === 1 && key.toLowerCase() === "model") spans.push([at, end]);
        at = end - 1;
        break;
      }
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
        break;
      case COMMA:
        if (depth === 1) isKeyNext = true;
        break;
      case COLON:
        if (depth === 1) isKeyNext = false;
        break;
      default:
    }
  }
  return spans;
}

function parsed(json: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined; // The engine refuses it in its own words.
  }
}
