/** Bytes of one block of ChaCha. */
export const CHACHA_BLOCK_BYTES = 64;

const SIGMA = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;
const DOUBLE_ROUNDS = 4;

/**
 * Writes ChaCha8's keystream into `out`: the layout of RFC 8439 with 8 rounds, a counter from 0 on, and a nonce whose first
 * word is `stream`. `key`: 32 bytes; `out`: a whole number of blocks.
 */
export function chacha8(key: Uint8Array, stream: number, out: Uint8Array): void {
  const words = new DataView(key.buffer, key.byteOffset, 32);
  const into = new DataView(out.buffer, out.byteOffset, out.byteLength);
  const first = new Int32Array(16);
  first.set(SIGMA);
  for (let word = 0; word < 8; word++) first[4 + word] = words.getInt32(4 * word, true);
  first[13] = stream;
  const state = new Int32Array(16);
  for (let block = 0; block * CHACHA_BLOCK_BYTES < out.length; block++) {
    first[12] = block;
    state.set(first);
    for (let round = 0; round < DOUBLE_ROUNDS; round++) doubleRound(state);
    for (let word = 0; word < 16; word++) {
      const sum = (state[word] ?? 0) + (first[word] ?? 0);
      into.setInt32(block * CHACHA_BLOCK_BYTES + 4 * word, sum, true);
    }
  }
}

function doubleRound(state: Int32Array): void {
  for (let column = 0; column < 4; column++) {
    quarterRound(state, column, 4 + column, 8 + column, 12 + column);
  }
  quarterRound(state, 0, 5, 10, 15);
  quarterRound(state, 1, 6, 11, 12);
  quarterRound(state, 2, 7, 8, 13);
  quarterRound(state, 3, 4, 9, 14);
}

function quarterRound(state: Int32Array, ai: number, bi: number, ci: number, di: number): void {
  let a = state[ai] ?? 0;
  let b = state[bi] ?? 0;
  let c = state[ci] ?? 0;
  let d = state[di] ?? 0;
  a = (a + b) | 0;
  d = rotate(d ^ a, 16);
  c = (c + d) | 0;
  b = rotate(b ^ c, 12);
  a = (a + b) | 0;
  d = rotate(d ^ a, 8);
  c = (c + d) | 0;
  b = rotate(b ^ c, 7);
  state[ai] = a;
  state[bi] = b;
  state[ci] = c;
  state[di] = d;
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
