export const DIGEST_BYTES = 8;

/** 2^32 divided by the golden ratio: sets equal words at different places apart. */
const PLACE = 0x9e3779b9;
/** Of Chris Wellons' `lowbias32`. */
const MIX_1 = 0x7feb352d;
const MIX_2 = 0x846ca68b;

/**
 * The 64-bit digest of a row of C, at `at` of `out`: two sums over its mixed words, the second weighted by their places. No
 * part of it is linear in the row, so nobody has it without the whole row.
 */
export function digestRow(row: Uint8Array, out: Uint8Array, at: number): void {
  const words = new DataView(row.buffer, row.byteOffset, row.byteLength);
  let plain = 0;
  let weighted = 0;
  for (let place = 0; 4 * place < row.byteLength; place++) {
    const mixed = mix((words.getInt32(4 * place, true) + Math.imul(place + 1, PLACE)) | 0);
    plain = (plain + mixed) | 0;
    weighted = (weighted + Math.imul(mixed, 2 * place + 1)) | 0;
  }
  const into = new DataView(out.buffer, out.byteOffset, out.byteLength);
  into.setInt32(at, plain, true);
  into.setInt32(at + 4, weighted, true);
}

function mix(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, MIX_1);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, MIX_2);
  return mixed ^ (mixed >>> 16);
}
