import { Readable, type Transform } from "node:stream";
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from "node:zlib";
import { OPEN_BRACE } from "../../http/json-bytes";
import { modelScanFor, parsedModel } from "../../http/model-in-body";

/** Unpacked only to look for the model; more than this is not looked through. */
const MOST_UNPACKED_BYTES = 256 * 1_024 * 1_024;
const PIECE_BYTES = 64 * 1_024;
/** A scan gives up the thread after so many pieces, so that one large body does not hold up the others. */
const YIELD_AFTER_PIECES = 16;

const UNPACKERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** The model that a body names, of most at once; the body itself stays as it is, packed or not. */
export function namedModel(
  headers: Headers,
  body: Uint8Array<ArrayBuffer>,
): string | undefined | Promise<string | undefined> {
  const encoding = headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (encoding === "identity") return smallJsonModel(headers, body) ?? scanPlain(headers, body);
  const unpacker = UNPACKERS[encoding]?.();
  return unpacker && scanPacked(headers, body, unpacker);
}

async function scanPlain(headers: Headers, body: Uint8Array): Promise<string | undefined> {
  const scan = scanFor(headers, body[0]);
  let done = 0;
  for (const piece of piecesOf(body)) {
    if (done++ % YIELD_AFTER_PIECES === YIELD_AFTER_PIECES - 1) await nextTurn();
    scan?.feed(piece);
  }
  return scan?.model();
}

async function scanPacked(
  headers: Headers,
  body: Uint8Array,
  unpacker: Transform,
): Promise<string | undefined> {
  try {
    return await scanUnpacked(headers, Readable.from(piecesOf(body)).pipe(unpacker));
  } catch {
    return undefined; // Not what it says it is: no model is found, and the app is told so.
  }
}

/** Parsing is quicker than scanning a small body. What is whole and does not parse is scanned: who gets it shall say what is wrong. */
function smallJsonModel(headers: Headers, body: Uint8Array): string | undefined {
  if (body.length > PIECE_BYTES || body[0] !== OPEN_BRACE) return undefined;
  return headers.get("content-type")?.startsWith("multipart/") === true
    ? undefined
    : parsedModel(body).model;
}

async function scanUnpacked(
  headers: Headers,
  unpacked: AsyncIterable<Uint8Array>,
): Promise<string | undefined> {
  let scan: ReturnType<typeof scanFor>;
  let bytes = 0;
  for await (const piece of unpacked) {
    if (bytes === 0) scan = scanFor(headers, piece[0]);
    bytes += piece.length;
    if (bytes > MOST_UNPACKED_BYTES) return undefined;
    scan?.feed(piece);
  }
  return scan?.model();
}

function scanFor(headers: Headers, firstByte: number | undefined): ReturnType<typeof modelScanFor> {
  const plain = new Headers(headers);
  plain.delete("content-encoding");
  // `curl -d` calls JSON a form; the engines that don't mind shall get it.
  const isJsonLike = firstByte === OPEN_BRACE;
  return modelScanFor(plain) ?? (isJsonLike ? modelScanFor(new Headers()) : undefined);
}

function* piecesOf(body: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < body.length; at += PIECE_BYTES) yield body.subarray(at, at + PIECE_BYTES);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
