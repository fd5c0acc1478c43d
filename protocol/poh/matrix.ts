import { hashOf } from "./sha256";
import { chacha8 } from "./chacha8";

/** All arithmetic is modulo this prime; values are bytes. */
export const MODULUS = 251;
/** Columns of every row, and rows of B. */
export const SIZE = 1_024;
/** What a row of C counts for: a multiplication and an addition for each pair of column and row of B. */
export const OPERATIONS_PER_ROW = 2 * SIZE * SIZE;

const utf8 = new TextEncoder();

/** The key of A's rows: each node has rows of its own in each run. `nonce`: 32 bytes. */
export function keyOfA(nonce: Uint8Array, nodeId: string): Uint8Array {
  return hashOf(utf8.encode("troop-poh/1 A"), nonce, utf8.encode(nodeId));
}

/** The key of B's rows, which all nodes of an epoch share. `seed`: 32 bytes. */
export function keyOfB(seed: Uint8Array): Uint8Array {
  return hashOf(utf8.encode("troop-poh/1 B"), seed);
}

/** One row of 1,024 values below 251. */
export function matrixRow(key: Uint8Array, row: number): Uint8Array<ArrayBuffer> {
  const values = new Uint8Array(SIZE);
  chacha8(key, row, values);
  for (let column = 0; column < SIZE; column++) values[column] = (values[column] ?? 0) % MODULUS;
  return values;
}

/** All of B, row by row: a mebibyte. */
export function matrixB(seed: Uint8Array): Uint8Array<ArrayBuffer> {
  const key = keyOfB(seed);
  const rows = new Uint8Array(SIZE * SIZE);
  for (let row = 0; row < SIZE; row++) rows.set(matrixRow(key, row), row * SIZE);
  return rows;
}

/** One row of C = A·B, the slow way: what every faster way has to come to. */
export function productRow(rowOfA: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const sums = new Int32Array(SIZE);
  for (let inner = 0; inner < SIZE; inner++) {
    const factor = rowOfA[inner] ?? 0;
    for (let column = 0; column < SIZE; column++) {
      // Below 2^26: 1,024 products of two values below 251.
      sums[column] = (sums[column] ?? 0) + factor * (b[inner * SIZE + column] ?? 0);
    }
  }
  return Uint8Array.from(sums, (sum) => sum % MODULUS);
}
