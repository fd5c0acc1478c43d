import { createHash, type Hash, hash } from "node:crypto";
import type { EngineKind } from "#protocol/model-offer";
import type { OpenAiErrorCode } from "#protocol/openai-error";
import type { ApiShape } from "./api-of-path";
import { createKeptEnds, endsOf } from "./kept-ends";
import { createSseWatch } from "./sse-watch";
import { type StreamEnd, streamEnd } from "./stream-end";
import { streamErrorFrame, type StreamError } from "./stream-error-frame";
import { readUsage, type Usage } from "./usage";

/** Reads along while an answer passes; it never changes a byte and keeps some 10 kB, however long the answer. */
export type AnswerMeter = {
  feed(chunk: Buffer): void;
  /** It is a stream of events that can be read along. */
  readonly isStream: boolean;
  /** In a stream: the last event has ended, so something else may come. */
  readonly isBetweenEvents: boolean;
  readonly bytes: number;
  /** SHA-256 of all that was fed, base64url; once. */
  hash(): string;
  usage(): Usage;
  /** How the answer ended, if its bytes end here in good order. What is no event stream is then complete. */
  end(engine: EngineKind): StreamEnd;
  /** By which `/v1/responses` knows this answer; a later request may go on from it. */
  responseId(): string | undefined;
  /** Whether an error of this code stands in its last bytes. */
  tells(code: OpenAiErrorCode): boolean;
  /** Text that tells a stream's reader of a failure; "" where the answer is no stream that could tell. */
  errorFrame(error: StreamError): string;
};

/** What a meter tells of an answer at its end. */
export type Metered = { readonly usage: Usage; readonly responseHash: string | undefined };

/** The same of an answer that has come whole, for which nothing has to be kept. */
export function meterWhole(body: Buffer): Metered {
  return {
    usage: readUsage(endsOf(body)),
    responseHash: body.length > 0 ? hash("sha256", body, "base64url") : undefined,
  };
}

/** `AnswerMeter.responseId` of an answer that has come whole. */
export function responseIdOf(api: ApiShape, body: Buffer): string | undefined {
  return api === "responses" ? responseIdIn(endsOf(body)[0] ?? "") : undefined;
}

export type MeteredAnswer = {
  readonly api: ApiShape;
  readonly contentType: string | null | undefined;
  readonly contentEncoding: string | null | undefined;
};

/** A stream of events that can be read along: what is packed cannot. */
export function isReadableStream({
  contentType,
  contentEncoding,
}: Pick<MeteredAnswer, "contentType" | "contentEncoding">): boolean {
  const isPlain = !contentEncoding || contentEncoding === "identity";
  return isPlain && contentType?.startsWith("text/event-stream") === true;
}

export function createAnswerMeter(answer: MeteredAnswer): AnswerMeter {
  const { api } = answer;
  const watch = isReadableStream(answer) ? createSseWatch() : undefined;
  const ends = createKeptEnds();
  /** All there is so far, as with most small answers: its hash needs no object then. */
  let only: Buffer | undefined;
  let hasher: Hash | undefined;
  let bytes = 0;

  return {
    feed(chunk) {
      if (bytes === 0) {
        only = chunk;
      } else {
        hasher ??= createHash("sha256").update(only ?? NOTHING);
        only = undefined;
        hasher.update(chunk);
      }
      bytes += chunk.length;
      ends.feed(chunk);
      watch?.feed(chunk);
    },
    isStream: watch !== undefined,
    get isBetweenEvents() {
      return watch?.gap === "";
    },
    get bytes() {
      return bytes;
    },
    hash: () => hasher?.digest("base64url") ?? hash("sha256", only ?? NOTHING, "base64url"),
    usage: () => readUsage(ends.pieces()),
    end: (engine) => (watch ? streamEnd(api, engine, watch, () => ends.tail()) : "complete"),
    responseId: () => (api === "responses" ? responseIdIn(ends.head()) : undefined),
    tells: (code) => ends.tail().includes(`"code":"${code}"`),
    errorFrame(error) {
      if (watch === undefined) return "";
      const place = api === "responses" ? responsesPlace(ends.head(), ends.tail()) : {};
      return watch.gap + streamErrorFrame(api, error, place);
    },
  };
}

const NOTHING = new Uint8Array();

function responsesPlace(
  head: string,
  tail: string,
): { responseId?: string; sequenceNumber?: number } {
  const responseId = responseIdIn(head);
  const sequence = [...tail.matchAll(/"sequence_number"\s*:\s*(\d{1,9})/g)].at(-1)?.[1];
  return {
    ...(responseId !== undefined && { responseId }),
    ...(sequence !== undefined && { sequenceNumber: Number(sequence) + 1 }),
  };
}

function responseIdIn(head: string): string | undefined {
  return /"id"\s*:\s*"([^"\\]{1,128})"/.exec(head)?.[1];
}
