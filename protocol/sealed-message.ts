import { z } from "zod";
import { KeyBytes } from "./identity";

/** Where a node takes every request of an app; the app's own path is inside. */
export const SEALED_PATH = "/v1/sealed";
export const SEALED_TYPE = "application/troop-sealed";
/** Of a request: session, number and tag, which show who asks. Of an answer: the salt of its key. */
export const SESSION_HEADER = "troop-session";

/**
 * A name and a value as HTTP lets them be (RFC 9110, 5), one character a byte. Names are in lower case alone: what must not
 * pass is known by its name, and another case would be another way to write it.
 */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]{1,256}$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const isHeaderLine = (line: unknown): line is [name: string, value: string] =>
  Array.isArray(line) &&
  line.length === 2 &&
  typeof line[0] === "string" &&
  typeof line[1] === "string" &&
  NAME.test(line[0]) &&
  VALUE.test(line[1]);
/** One check for all of them: a schema for each line costs a small request more than opening it. */
const HeaderLines = z.custom<[name: string, value: string][]>(
  (lines) => Array.isArray(lines) && lines.length <= 256 && lines.every(isHeaderLine),
);

/** What a sealed request's first record holds. */
export const SealedRequestHead = z.object({
  /** Path and query. */
  target: z
    .string()
    .regex(/^\/[\x21-\x7e]*$/)
    .max(4_096),
  headers: HeaderLines,
  /** Bytes of the body that follows. */
  length: z.int().nonnegative(),
  /** SHA-256 of the body, base64url: what receipt and ack say of it. */
  hash: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
});
export type SealedRequestHead = z.infer<typeof SealedRequestHead>;

/** What a sealed answer's first record holds. */
export const SealedAnswerHead = z.object({
  status: z.int().min(200).max(599),
  headers: HeaderLines,
  /** Bytes of the body, where they are known in front. */
  length: z.int().nonnegative().optional(),
});
export type SealedAnswerHead = z.infer<typeof SealedAnswerHead>;

/** What a request shows of its session outside: nobody without the session's key can make the tag. */
export type SessionMark = { readonly enc: string; readonly seq: number; readonly tag: string };

const MARK = /^([\w-]{43})\.(0|[1-9]\d{0,9})\.([\w-]{22})$/;

export function formatSessionMark({ enc, seq, tag }: SessionMark): string {
  return `${enc}.${seq}.${tag}`;
}

export function parseSessionMark(text: string): SessionMark | undefined {
  const [, enc, seqText, tag] = MARK.exec(text) ?? [];
  if (enc === undefined || seqText === undefined || tag === undefined) return undefined;
  const seq = Number(seqText);
  return KeyBytes.safeParse(enc).success && seq < 2 ** 31 ? { enc, seq, tag } : undefined;
}

const toUtf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();

export function sealedHead(head: SealedRequestHead | SealedAnswerHead): Uint8Array {
  return toUtf8.encode(JSON.stringify(head));
}

/** `undefined`: what was sealed is no such head. */
export function parseSealedHead<Schema extends z.ZodType>(
  bytes: Uint8Array,
  schema: Schema,
): z.infer<Schema> | undefined {
  try {
    return schema.safeParse(JSON.parse(fromUtf8.decode(bytes))).data;
  } catch {
    return undefined; // No JSON.
  }
}
