import { createHash, hash } from "node:crypto";
import type { Outcome } from "#protocol/outcome";
import type { Bytes } from "../../http/answer-parser";
import type { OutgoingBody } from "../../http/call";
import {
  type BodyHeaders,
  found,
  modelOf,
  modelScanFor,
  type NamedModel,
} from "../../http/model-in-body";
import type { NodeRefusal } from "../admission/refusals";
import { BodyRefused, MOST_BODY_BYTES, type OpenedBody } from "./sealed-request";

/** What a body has to be, by the ticket and by what its sender said in front of it. */
export type ExpectedBody = {
  readonly model: string;
  readonly length: number;
  readonly hash: string;
};

/**
 * `onArrived`: nothing more is expected from the client. The chunks of a large body throw `BodyRefused` in front of the
 * last bytes where it is not the expected one.
 */
export function checkBody(
  body: OpenedBody,
  headers: BodyHeaders,
  expected: ExpectedBody,
  onArrived: () => void,
): Outcome<OutgoingBody, NodeRefusal> {
  if (expected.length > MOST_BODY_BYTES) return { ok: false, reason: "body_too_large" };
  if (body.kind === "streamed") {
    const chunks = checked(body.chunks, headers, expected, onArrived);
    return { ok: true, value: { kind: "streamed", length: expected.length, chunks } };
  }
  onArrived();
  const reason = whyNot(body.bytes, headers, expected);
  return reason === undefined ? { ok: true, value: body } : { ok: false, reason };
}

function whyNot(
  bytes: Bytes,
  headers: BodyHeaders,
  expected: ExpectedBody,
): NodeRefusal["reason"] | undefined {
  if (bytes.length !== expected.length) return "body_other_length";
  if (hash("sha256", bytes, "base64url") !== expected.hash) return "body_other_hash";
  const named = modelOf(headers, bytes);
  return named === "unknown" ? undefined : wrongModel(named, expected.model);
}

/**
 * Passes a body on one piece late: an engine begins with a request when it has the whole of it, so the last piece is
 * given out only when hash and model are known to be right.
 */
async function* checked(
  chunks: AsyncIterable<Bytes>,
  headers: BodyHeaders,
  expected: ExpectedBody,
  onArrived: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hasher = createHash("sha256");
  const scan = modelScanFor(headers);
  let bytes = 0;
  let held: Uint8Array | undefined;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > expected.length) throw new BodyRefused({ reason: "body_other_length" });
    hasher.update(chunk);
    scan?.feed(chunk);
    if (held !== undefined) yield held;
    held = chunk;
  }
  onArrived();
  if (bytes !== expected.length) throw new BodyRefused({ reason: "body_other_length" });
  if (hasher.digest("base64url") !== expected.hash) {
    throw new BodyRefused({ reason: "body_other_hash" });
  }
  const reason = scan && wrongModel(found(scan), expected.model);
  if (reason !== undefined) throw new BodyRefused({ reason });
  if (held !== undefined) yield held;
}

function wrongModel(
  { model, isAmbiguous }: NamedModel,
  expected: string,
): "model_required" | "model_mismatch" | undefined {
  if (model === undefined) return "model_required";
  return model === expected && !isAmbiguous ? undefined : "model_mismatch";
}
