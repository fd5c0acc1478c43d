import type { Outcome } from "#protocol/outcome";
import { parseSealedHead, SealedRequestHead } from "#protocol/sealed-message";
import { RECORD_BYTES, sealedLength } from "#protocol/sealed-record";
import { createMessageOpener, type MessageOpener } from "../../e2e/message-opener";
import type { Bytes } from "../../http/answer-parser";
import { atPace, BODY_GRACE_MS, BodyTooSlow, inTime } from "./body-pace";
import type { Clock } from "../../clock";
import type { NodeRefusal } from "../admission/refusals";
import type { NodeSession } from "../admission/sessions";

/** Larger bodies pass on while they arrive; smaller ones are checked before the engine sees a byte. */
export const WHOLE_BODY_BYTES = 256 * 1_024;
/** Pictures and long conversations go up to some 64 MB. */
export const MOST_BODY_BYTES = 128 * 1_024 * 1_024;
/** The same with all that sealing adds. */
export const MOST_SEALED_BYTES = sealedLength(RECORD_BYTES, MOST_BODY_BYTES);
const WHOLE_SEALED_BYTES = sealedLength(RECORD_BYTES, WHOLE_BODY_BYTES);

/** The body turned out wrong when some of it had passed. */
export class BodyRefused extends Error {
  override readonly name = "BodyRefused";
  readonly refusal: NodeRefusal;

  constructor(refusal: NodeRefusal) {
    super(`The body was refused: ${refusal.reason}.`);
    this.refusal = refusal;
  }
}

export type OpenedBody =
  | { readonly kind: "whole"; readonly bytes: Bytes }
  /** The chunks throw `BodyRefused` where it breaks off, or is not what was sealed. */
  | { readonly kind: "streamed"; readonly chunks: AsyncIterable<Bytes> };

export type OpenedRequest = {
  readonly head: SealedRequestHead;
  readonly body: OpenedBody;
  /** Nobody will read the rest of the body. */
  readonly leave: () => void;
};

/** The length that a request announces; `undefined` where it comes in pieces of its own. */
export function announcedLength(headers: Headers): number | undefined {
  const length = headers.get("content-length");
  return length === null ? undefined : Number(length);
}

type Opening = {
  readonly opener: MessageOpener;
  /** As soon as it has come. */
  readonly head: () => SealedRequestHead | undefined;
  /** What has been opened of the body since the last time. */
  readonly take: () => Bytes[];
};

function createOpening(requestKey: NodeSession["requestKey"], seq: number): Opening {
  let head: SealedRequestHead | undefined;
  let opened: Bytes[] = [];
  return {
    opener: createMessageOpener(requestKey, seq, {
      onHead(bytes) {
        head = parseSealedHead(bytes, SealedRequestHead);
        return head !== undefined;
      },
      onBody: (bytes) => opened.push(bytes),
    }),
    head: () => head,
    take() {
      const taken = opened;
      opened = [];
      return taken;
    },
  };
}

/**
 * Opens a request as far as its head, and its body as it comes. A place is taken while it arrives, so it has to come at
 * some pace.
 */
export function openRequest(
  request: Request,
  { requestKey }: NodeSession,
  seq: number,
  clock: Clock,
): Promise<Outcome<OpenedRequest, NodeRefusal>> {
  const opening = createOpening(requestKey, seq);
  const length = announcedLength(request.headers);
  const isSmall = length !== undefined && length <= WHOLE_SEALED_BYTES;
  return isSmall ? openWhole(request, opening, clock) : openArriving(request, opening, clock);
}

async function openWhole(
  request: Request,
  { opener, head, take }: Opening,
  clock: Clock,
): Promise<Outcome<OpenedRequest, NodeRefusal>> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await inTime(clock, BODY_GRACE_MS, request.bytes());
  } catch (error) {
    return { ok: false, reason: whyNotWhole(error) };
  }
  if (!opener.push(bytes)) return { ok: false, reason: "body_forged" };
  const known = head();
  if (!opener.isWhole || known === undefined) return { ok: false, reason: "body_broken" };
  const body = { kind: "whole", bytes: joined(take()) } as const;
  return { ok: true, value: { head: known, body, leave: nothingToLeave } };
}

const nothingToLeave = (): void => {};

async function openArriving(
  request: Request,
  { opener, head, take }: Opening,
  clock: Clock,
): Promise<Outcome<OpenedRequest, NodeRefusal>> {
  const arriving = atPace(clock, request.body);
  const leave = (): void => void arriving.return().catch(() => {});
  let known: SealedRequestHead | undefined;
  try {
    for (; known === undefined; known = head()) await openNext(arriving, opener);
  } catch (error) {
    leave();
    if (error instanceof BodyRefused) return { ok: false, ...error.refusal };
    throw error;
  }
  async function* chunks(): AsyncGenerator<Bytes, void, undefined> {
    try {
      yield* take();
      while (!opener.isWhole) {
        await openNext(arriving, opener);
        yield* take();
      }
    } finally {
      leave();
    }
  }
  const body = { kind: "streamed", chunks: chunks() } as const;
  return { ok: true, value: { head: known, body, leave } };
}

async function openNext(
  arriving: AsyncGenerator<Uint8Array, void, undefined>,
  opener: MessageOpener,
): Promise<void> {
  let next: IteratorResult<Uint8Array, void>;
  try {
    next = await arriving.next();
  } catch (error) {
    throw new BodyRefused({ reason: whyNotWhole(error) });
  }
  if (next.done === true) throw new BodyRefused({ reason: "body_broken" });
  if (!opener.push(next.value as Bytes)) throw new BodyRefused({ reason: "body_forged" });
}

/** Where it is not too slow, the client left. */
function whyNotWhole(error: unknown): "body_too_slow" | "body_broken" {
  return error instanceof BodyTooSlow ? "body_too_slow" : "body_broken";
}

function joined(parts: readonly Bytes[]): Bytes {
  const [only] = parts;
  return only !== undefined && parts.length === 1 ? only : Buffer.concat(parts);
}
