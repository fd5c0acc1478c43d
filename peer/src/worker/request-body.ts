import { createHash } from "node:crypto";
import type { Outcome } from "#protocol/outcome";
import type { OutgoingBody } from "../http/call";
import { found, modelOf, modelScanFor, type NamedModel } from "../http/model-in-body";
import { atPace, BODY_GRACE_MS, BodyTooSlow, inTime } from "./body-pace";
import type { Clock } from "./clock";
import type { NodeRefusal } from "./refusals";

/** Larger bodies pass on while they arrive; smaller ones are checked before the engine sees a byte. */
export const WHOLE_BODY_BYTES = 256 * 1_024;
/** Pictures and long conversations go up to some 64 MB. */
export const MOST_BODY_BYTES = 128 * 1_024 * 1_024;

/** What a body has to be, by the ticket and the proof. */
export type ExpectedBody = { readonly model: string; readonly hash: string };

/** The body turned out wrong when most of it had passed. */
export class BodyRefused extends Error {
  override readonly name = "BodyRefused";
  readonly refusal: NodeRefusal;

  constructor(refusal: NodeRefusal) {
    super(`The body was refused: ${refusal.reason}.`);
    this.refusal = refusal;
  }
}

/** The length that a request announces; `undefined` where it comes in pieces of its own. */
export function announcedLength(headers: Headers): number | undefined {
  const length = headers.get("content-length");
  return length === null ? undefined : Number(length);
}

/**
 * `onArrived`: nothing more is expected from the client. A place is taken while the body arrives, so it has to come at
 * some pace. The chunks of a large one throw `BodyRefused` in front of the last bytes where it is not the expected one.
 */
export async function readBody(
  request: Request,
  expected: ExpectedBody,
  clock: Clock,
  onArrived: () => void,
): Promise<Outcome<OutgoingBody, NodeRefusal>> {
  const length = announcedLength(request.headers);
  if (length !== undefined && length > MOST_BODY_BYTES) {
    return { ok: false, reason: "body_too_large" };
  }
  if (length === undefined || length > WHOLE_BODY_BYTES) {
    const chunks = checked(request, expected, clock, onArrived);
    return { ok: true, value: { kind: "streamed", length, chunks } };
  }
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await inTime(clock, BODY_GRACE_MS, request.arrayBuffer()));
  } catch (error) {
    return { ok: false, reason: whyNotWhole(error) };
  }
  onArrived();
  const wrong = checkWhole(request.headers, bytes, expected);
  return wrong ?? { ok: true, value: { kind: "whole", bytes } };
}

function checkWhole(
  headers: Headers,
  bytes: Uint8Array,
  expected: ExpectedBody,
): ({ ok: false } & NodeRefusal) | undefined {
  const hash = createHash("sha256").update(bytes).digest("base64url");
  if (hash !== expected.hash) return { ok: false, reason: "proof_other_body" };
  const named = modelOf(headers, bytes);
  const reason = named === "unknown" ? undefined : wrongModel(named, expected.model);
  return reason && { ok: false, reason };
}

/**
 * Passes a body on one piece late: an engine begins with a request when it has the whole of it, so the last piece is
 * given out only when hash and model are known to be right.
 */
async function* checked(
  request: Request,
  expected: ExpectedBody,
  clock: Clock,
  onArrived: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hasher = createHash("sha256");
  const scan = modelScanFor(request.headers);
  let bytes = 0;
  let held: Uint8Array | undefined;
  for await (const chunk of arriving(request, clock)) {
    bytes += chunk.length;
    if (bytes > MOST_BODY_BYTES) throw new BodyRefused({ reason: "body_too_large" });
    hasher.update(chunk);
    scan?.feed(chunk);
    if (held !== undefined) yield held;
    held = chunk;
  }
  onArrived();
  if (hasher.digest("base64url") !== expected.hash) {
    throw new BodyRefused({ reason: "proof_other_body" });
  }
  const reason = scan && wrongModel(found(scan), expected.model);
  if (reason !== undefined) throw new BodyRefused({ reason });
  if (held !== undefined) yield held;
}

async function* arriving(request: Request, clock: Clock): AsyncGenerator<Uint8Array> {
  try {
    yield* atPace(clock, request.body);
  } catch (error) {
    throw new BodyRefused({ reason: whyNotWhole(error) });
  }
}

/** Where it is not too slow, the client left. */
function whyNotWhole(error: unknown): "body_too_slow" | "body_broken" {
  return error instanceof BodyTooSlow ? "body_too_slow" : "body_broken";
}

function wrongModel(
  { model, isAmbiguous }: NamedModel,
  expected: string,
): "model_required" | "model_mismatch" | undefined {
  if (model === undefined) return "model_required";
  return model === expected && !isAmbiguous ? undefined : "model_mismatch";
}
