/** Bytes of one block of ChaCha. */
export const CHACHA_BLOCK_BYTES = 64;

const SIGMA_0 = 0x61707865;
const SIGMA_1 = 0x3320646e;
const SIGMA_2 = 0x79622d32;
const SIGMA_3 = 0x6b206574;
const DOUBLE_ROUNDS = 4;

/**
 * Writes ChaCha8's keystream into `out`: the layout of RFC 8439 with 8 rounds, a counter from 0 on, and a nonce whose first
 * word is `stream`. `key`: 32 bytes; `out`: a whole number of blocks. Written out, since B alone is 16,384 blocks: columns,
 * then diagonals, eight lines for each quarter round.
 */
export function chacha8(key: Uint8Array, stream: number, out: Uint8Array): void {
  const words = new DataView(key.buffer, key.byteOffset, 32);
  const into = new DataView(out.buffer, out.byteOffset, out.byteLength);
  const k0 = words.getInt32(0, true);
  const k1 = words.getInt32(4, true);
  const k2 = words.getInt32(8, true);
  const k3 = words.getInt32(12, true);
  const k4 = words.getInt32(16, true);
  const k5 = words.getInt32(20, true);
  const k6 = words.getInt32(24, true);
  const k7 = words.getInt32(28, true);
  for (let block = 0; block * CHACHA_BLOCK_BYTES < out.length; block++) {
    let x0 = SIGMA_0;
    let x1 = SIGMA_1;
    let x2 = SIGMA_2;
    let x3 = SIGMA_3;
    let x4 = k0;
    let x5 = k1;
    let x6 = k2;
    let x7 = k3;
    let x8 = k4;
    let x9 = k5;
    let x10 = k6;
    let x11 = k7;
    let x12 = block;
    let x13 = stream;
    let x14 = 0;
    let x15 = 0;
    for (let round = 0; round < DOUBLE_ROUNDS; round++) {
      x0 = (x0 + x4) | 0;
      x12 = rotate(x12 ^ x0, 16);
      x8 = (x8 + x12) | 0;
      x4 = rotate(x4 ^ x8, 12);
      x0 = (x0 + x4) | 0;
      x12 = rotate(x12 ^ x0, 8);
      x8 = (x8 + x12) | 0;
      x4 = rotate(x4 ^ x8, 7);
      x1 = (x1 + x5) | 0;
      x13 = rotate(x13 ^ x1, 16);
      x9 = (x9 + x13) | 0;
      x5 = rotate(x5 ^ x9, 12);
      x1 = (x1 + x5) | 0;
      x13 = rotate(x13 ^ x1, 8);
      x9 = (x9 + x13) | 0;
      x5 = rotate(x5 ^ x9, 7);
      x2 = (x2 + x6) | 0;
      x14 = rotate(x14 ^ x2, 16);
      x10 = (x10 + x14) | 0;
      x6 = rotate(x6 ^ x10, 12);
      x2 = (x2 + x6) | 0;
      x14 = rotate(x14 ^ x2, 8);
      x10 = (x10 + x14) | 0;
      x6 = rotate(x6 ^ x10, 7);
      x3 = (x3 + x7) | 0;
      x15 = rotate(x15 ^ x3, 16);
      x11 = (x11 + x15) | 0;
      x7 = rotate(x7 ^ x11, 12);
      x3 = (x3 + x7) | 0;
      x15 = rotate(x15 ^ x3, 8);
      x11 = (x11 + x15) | 0;
      x7 = rotate(x7 ^ x11, 7);
      x0 = (x0 + x5) | 0;
      x15 = rotate(x15 ^ x0, 16);
      x10 = (x10 + x15) | 0;
      x5 = rotate(x5 ^ x10, 12);
      x0 = (x0 + x5) | 0;
      x15 = rotate(x15 ^ x0, 8);
      x10 = (x10 + x15) | 0;
      x5 = rotate(x5 ^ x10, 7);
      x1 = (x1 + x6) | 0;
      x12 = rotate(x12 ^ x1, 16);
      x11 = (x11 + x12) | 0;
      x6 = rotate(x6 ^ x11, 12);
      x1 = (x1 + x6) | 0;
      x12 = rotate(x12 ^ x1, 8);
      x11 = (x11 + x12) | 0;
      x6 = rotate(x6 ^ x11, 7);
      x2 = (x2 + x7) | 0;
      x13 = rotate(x13 ^ x2, 16);
      x8 = (x8 + x13) | 0;
      x7 = rotate(x7 ^ x8, 12);
      x2 = (x2 + x7) | 0;
      x13 = rotate(x13 ^ x2, 8);
      x8 = (x8 + x13) | 0;
      x7 = rotate(x7 ^ x8, 7);
      x3 = (x3 + x4) | 0;
      x14 = rotate(x14 ^ x3, 16);
      x9 = (x9 + x14) | 0;
      x4 = rotate(x4 ^ x9, 12);
      x3 = (x3 + x4) | 0;
      x14 = rotate(x14 ^ x3, 8);
      x9 = (x9 + x14) | 0;
      x4 = rotate(x4 ^ x9, 7);
    }
    const at = block * CHACHA_BLOCK_BYTES;
    into.setInt32(at, x0 + SIGMA_0, true);
    into.setInt32(at + 4, x1 + SIGMA_1, true);
    into.setInt32(at + 8, x2 + SIGMA_2, true);
    into.setInt32(at + 12, x3 + SIGMA_3, true);
    into.setInt32(at + 16, x4 + k0, true);
    into.setInt32(at + 20, x5 + k1, true);
    into.setInt32(at + 24, x6 + k2, true);
    into.setInt32(at + 28, x7 + k3, true);
    into.setInt32(at + 32, x8 + k4, true);
    into.setInt32(at + 36, x9 + k5, true);
    into.setInt32(at + 40, x10 + k6, true);
    into.setInt32(at + 44, x11 + k7, true);
    into.setInt32(at + 48, x12 + block, true);
    into.setInt32(at + 52, x13 + stream, true);
    into.setInt32(at + 56, x14, true);
    into.setInt32(at + 60, x15, true);
  }
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
