import { chacha8 } from "./chacha8";
import { SIZE } from "./matrix";
import { hashOf } from "./sha256";

/** Rows of C in a page. */
export const ROWS_PER_PAGE = 4;
export const PAGE_BYTES = ROWS_PER_PAGE * SIZE;

const utf8 = new TextEncoder();

/**
 * The key of a pass over the table: the first follows from what the coordinator handed out after the rows were bound, each
 * later one from the root of the pass before, so that no pass can begin before the last has read everything.
 */
export function passKey(issued: Uint8Array, rootBefore?: Uint8Array): Uint8Array {
  return hashOf(utf8.encode("troop-poh/1 pass"), issued, rootBefore ?? new Uint8Array());
}

/** What pages are multiplied with in a pass: as long as a page, so that no two places of it count alike. */
export function passStream(key: Uint8Array): Uint8Array<ArrayBuffer> {
  const stream = new Uint8Array(PAGE_BYTES);
  chacha8(key, 0, stream);
  return stream;
}

/**
 * The 64-bit digest of a page under a pass's stream, at `at` of `out`: both as signed 16-bit numbers, multiplied and summed
 * modulo 2^32, words at even places apart from those at odd ones. Cheap, so that reading the page is what takes time.
 */
export function digestPage(
  page: Uint8Array,
  stream: Uint8Array,
  out: Uint8Array,
  at: number,
): void {
  const of = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const by = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  const sums = [0, 0];
  for (let byte = 0; byte < PAGE_BYTES; byte += 4) {
    const low = Math.imul(of.getInt16(byte, true), by.getInt16(byte, true));
    const high = Math.imul(of.getInt16(byte + 2, true), by.getInt16(byte + 2, true));
    const place = (byte >> 2) & 1;
    sums[place] = ((sums[place] ?? 0) + low + high) | 0;
  }
  const into = new DataView(out.buffer, out.byteOffset, out.byteLength);
  into.setInt32(at, sums[0] ?? 0, true);
  into.setInt32(at + 4, sums[1] ?? 0, true);
}
