/** Lower-case names, values as they came (one character a byte), in order, repeated ones included. */
export type HeaderLines = readonly (readonly [name: string, value: string])[];

export type AnswerHead = {
  readonly status: number;
  readonly headers: HeaderLines;
  /** The connection is meant to carry another request. */
  readonly keepsAlive: boolean;
};

/** How the end of a body is found: by a number of bytes, by chunks that say so, or by the connection's end. */
export type Framing = number | "chunked" | "untilClose";

const MOST_HEADERS = 256;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: .*)?$/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const LENGTH = /^\d{1,15}$/;
// oxlint-disable-next-line no-control-regex -- These are what a value must not hold (RFC 9110, 5.5).
const FORBIDDEN = /[\0\r\n]/;
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 304]);

/** The head of an answer, without the blank line; `undefined` where it is none. */
export function parseHead(text: string): AnswerHead | undefined {
  const lines = text.split("\r\n");
  const [, minor, status] = STATUS_LINE.exec(lines[0] ?? "") ?? [];
  if (status === undefined || lines.length > MOST_HEADERS) return undefined;
  const headers: (readonly [string, string])[] = [];
  for (let at = 1; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    const value = line.slice(colon + 1).trim();
    // A folded line begins with a space, so its name is none.
    if (!NAME.test(name) || FORBIDDEN.test(value)) return undefined;
    headers.push([name, value]);
  }
  const connection = headerValue(headers, "connection")?.toLowerCase();
  const keepsAlive = minor === "1" ? connection !== "close" : connection === "keep-alive";
  return { status: Number(status), headers, keepsAlive };
}

/** RFC 9112, 6.3; `undefined` where two readers could find two ends. */
export function framingOf({
  status,
  headers,
}: Pick<AnswerHead, "status" | "headers">): Framing | undefined {
  if (WITHOUT_BODY.has(status)) return 0;
  const coding = headerValue(headers, "transfer-encoding");
  const length = headerValue(headers, "content-length");
  if (coding !== undefined) {
    return coding.toLowerCase() === "chunked" && length === undefined ? "chunked" : undefined;
  }
  if (length === undefined) return "untilClose";
  return LENGTH.test(length) ? Number(length) : undefined;
}

/** All of a header's values in one, as a list; `undefined` where it is absent. */
export function headerValue(headers: HeaderLines, name: string): string | undefined {
  let found: string | undefined;
  for (const [key, value] of headers) {
    if (key === name) found = found === undefined ? value : `${found}, ${value}`;
  }
  return found;
}
