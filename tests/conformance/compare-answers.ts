import { answerHeader, type HttpAnswer } from "./exchange";
import { sseBlocks } from "./sse-blocks";
import { withoutVolatile } from "./volatile";
import { textOfStream } from "#support/last-words";

/** Belong to one connection or one moment, not to the answer. */
const PER_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "date",
  // Checked against the body that came with it: the digits of measured times change its length.
  "content-length",
]);

/** Headers that a proxy may set for itself. CORS is the endpoint's: the engine never sees the Origin. */
const PROXY_OWN = [/^access-control-/, /^vary$/, /^x-request-id$/, /^(x-)?troop-/];

const SHOWN_CHARACTERS = 160;

/** Every difference between two answers to the same request, in words; none means they are the same. */
export function compareAnswers(expected: HttpAnswer, actual: HttpAnswer): string[] {
  return [
    ...differs("status", expected.status, actual.status),
    ...differs("completeness", expected.isComplete, actual.isComplete),
    ...compareHeaders(expected, actual),
    ...declaredLength(actual),
    ...compareBodies(expected, actual),
  ];
}

/** The body as it is compared: one piece for each event of a stream, otherwise all in one. */
export function comparablePieces(answer: HttpAnswer): string[] {
  // Latin-1 keeps every byte apart, whatever it means.
  const text = withoutVolatile(answer.body.toString("latin1"));
  return answerHeader(answer, "content-type").startsWith("text/event-stream")
    ? sseBlocks(textOfStream(text))
    : [text];
}

function compareHeaders(expected: HttpAnswer, actual: HttpAnswer): string[] {
  const before = comparableHeaders(expected);
  const after = comparableHeaders(actual);
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].flatMap((name) => differs(`header ${name}`, before.get(name), after.get(name)));
}

function comparableHeaders(answer: HttpAnswer): Map<string, string> {
  const result = new Map<string, string>();
  for (const [name, value] of answer.headers) {
    const key = name.toLowerCase();
    if (PER_HOP.has(key) || PROXY_OWN.some((pattern) => pattern.test(key))) continue;
    const earlier = result.get(key);
    result.set(key, earlier === undefined ? value : `${earlier} | ${value}`);
  }
  return result;
}

function declaredLength(answer: HttpAnswer): string[] {
  const declared = answerHeader(answer, "content-length");
  // The answer to HEAD declares the length of a body that is not sent.
  if (declared === "" || answer.body.length === 0) return [];
  return differs("content-length", answer.body.length, Number(declared));
}

function compareBodies(expected: HttpAnswer, actual: HttpAnswer): string[] {
  const before = comparablePieces(expected);
  const after = comparablePieces(actual);
  const index = before.findIndex((piece, position) => piece !== after[position]);
  if (index < 0 && before.length === after.length) return [];
  const at = index < 0 ? before.length : index;
  const where = `piece ${at + 1} of ${before.length}`;
  return [
    ...differs("number of pieces", before.length, after.length),
    `body differs at ${where}: ${aroundDifference(before[at], after[at])}`,
  ];
}

function aroundDifference(expected = "<nothing>", actual = "<nothing>"): string {
  let same = 0;
  while (same < expected.length && expected[same] === actual[same]) same++;
  const from = Math.max(0, same - SHOWN_CHARACTERS / 4);
  const show = (text: string): string => JSON.stringify(text.slice(from, from + SHOWN_CHARACTERS));
  return `expected ${show(expected)}, got ${show(actual)}`;
}

function differs(what: string, expected: unknown, actual: unknown): string[] {
  if (Object.is(expected, actual)) return [];
  return [`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`];
}
