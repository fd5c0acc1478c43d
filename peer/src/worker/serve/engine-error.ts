import { openAiError } from "#protocol/openai-error";
import { type Answer, createAnswer } from "../../http/answer";
import { wholeBody } from "../../http/whole-body";
import type { ApiShape } from "../../metering/api-of-path";

/** No engine's error is longer. */
const MOST_BYTES = 256 * 1_024;
const MOST_MESSAGE_CHARACTERS = 1_000;
const NO_CONNECTION = { pause() {}, resume() {}, close() {} };
/** They belong to the body that the engine sent. */
const OF_THE_BODY: ReadonlySet<string> = new Set([
  "content-type",
  "content-length",
  "content-encoding",
  "transfer-encoding",
]);

/** Statuses whose bodies tell apps what went wrong; a stream of events tells it as its API does. */
export function isError(answer: Answer): boolean {
  const type = answer.header("content-type") ?? "";
  return answer.status >= 400 && !type.startsWith("text/event-stream");
}

/**
 * An engine's error in the shape that apps can read, with its status: byte for byte where it has that shape, and else
 * with what it says put into it (a text, vLLM's `{"error": "…"}`, a page of its framework). `undefined`: it broke off.
 */
export async function readableError(answer: Answer, api: ApiShape): Promise<Answer | undefined> {
  const all = await wholeBody(answer, MOST_BYTES);
  if (all === "broken") return undefined;
  const bytes = all === "too_long" ? Buffer.alloc(0) : all;
  const isPacked = answer.header("content-encoding") !== undefined;
  const said = isPacked ? "readable" : messageOf(bytes, answer.status);
  const isKept = said === "readable";
  // Where it has no such model it says so in the shape of its API; without one it is its framework that speaks.
  const message = answer.status === 404 ? `The engine does not offer this path: ${said}` : said;
  const body = isKept ? bytes : Buffer.from(JSON.stringify(shaped(api, answer.status, message)));
  const headers: [string, string][] = [["content-length", String(body.length)]];
  for (const [name, value] of answer.headers) {
    if (!OF_THE_BODY.has(name) || (isKept && !FRAMING.has(name))) headers.push([name, value]);
  }
  if (!isKept) headers.push(["content-type", "application/json"]);
  const incoming = createAnswer(
    { status: answer.status, headers, keepsAlive: true },
    NO_CONNECTION,
  );
  if (body.length > 0) incoming.onBody(body);
  incoming.onOver(true);
  return incoming.answer;
}

const FRAMING: ReadonlySet<string> = new Set(["content-length", "transfer-encoding"]);

function shaped(api: ApiShape, status: number, message: string): object {
  if (api === "messages") return { type: "error", error: { type: "api_error", message } };
  return openAiError(status, "engine_error", message);
}

/** What an error says that no app could read; `readable`: it has the shape. */
function messageOf(bytes: Uint8Array, status: number): string {
  const text = Buffer.from(bytes).toString().trim();
  const json = parsed(text);
  if (isRecord(json)) {
    const { error, message, detail } = json;
    if (isRecord(error) && typeof error["message"] === "string") return "readable";
    for (const said of [error, message, detail]) if (typeof said === "string") return said;
    if (detail !== undefined) return JSON.stringify(detail).slice(0, MOST_MESSAGE_CHARACTERS);
  }
  const isPage = text.startsWith("<") || text.length > MOST_MESSAGE_CHARACTERS;
  if (json !== undefined || text === "" || isPage) return `The engine answered with ${status}.`;
  return text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // It is no JSON, which its caller asks.
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
