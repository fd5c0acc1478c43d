import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { modelScanFor } from "../worker/body-model";

/** Unpacked only to look for the model; more than this is not looked through. */
const MOST_UNPACKED_BYTES = 128 * 1_024 * 1_024;
/** A scan gives up the thread between pieces of this size, so that one large body does not hold up the others. */
const PIECE_BYTES = 4 * 1_024 * 1_024;

/** The model that a body names; the body itself stays as it is, packed or not. */
export async function namedModel(
  headers: Headers,
  body: Uint8Array<ArrayBuffer>,
): Promise<string | undefined> {
  const plain = new Headers(headers);
  plain.delete("content-encoding");
  const bytes = unpacked(headers.get("content-encoding"), body);
  const scan = bytes && modelScanFor(plain);
  if (bytes === undefined || scan === undefined) return undefined;
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    if (at > 0) await new Promise((next) => setImmediate(next));
    scan.feed(bytes.subarray(at, at + PIECE_BYTES));
  }
  return scan.model();
}

function unpacked(encoding: string | null, body: Uint8Array): Uint8Array | undefined {
  const limit = { maxOutputLength: MOST_UNPACKED_BYTES };
  try {
    if (encoding === null || encoding === "identity") return body;
    if (encoding === "gzip") return gunzipSync(body, limit);
    if (encoding === "zstd") return zstdDecompressSync(body, limit);
  } catch {
    // Not what it says it is, or too much of it: no model is found, and the app is told so.
  }
  return undefined;
}
