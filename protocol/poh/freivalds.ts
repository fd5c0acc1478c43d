import { MODULUS, matrixB, SIZE } from "./matrix";
import { chacha8 } from "./chacha8";

/** Columns of the secret X: a wrong row passes with probability 251^-4. */
export const CHECK_COLUMNS = 4;

/** What rows are checked with, for one epoch: A[i]·Y = C[i]·X where Y = B·X. Whoever knows X can make wrong rows that pass. */
export type RowCheck = {
  readonly x: Uint8Array;
  readonly y: Uint8Array;
};

/** `seed`: the epoch's public one, 32 bytes; `secret`: 32 bytes that no node ever sees. */
export function makeRowCheck(seed: Uint8Array, secret: Uint8Array): RowCheck {
  const x = new Uint8Array(SIZE * CHECK_COLUMNS);
  chacha8(secret, 0, x);
  for (let place = 0; place < x.length; place++) x[place] = (x[place] ?? 0) % MODULUS;
  const b = matrixB(seed);
  const y = new Uint8Array(SIZE * CHECK_COLUMNS);
  for (let row = 0; row < SIZE; row++) {
    y.set(timesCheck(b.subarray(row * SIZE, (row + 1) * SIZE), x), row * CHECK_COLUMNS);
  }
  return { x, y };
}

/** Whether `rowOfC` is the product of `rowOfA` and B; wrong once in 4 billion times. */
export function rowIsRight(rowOfA: Uint8Array, rowOfC: Uint8Array, check: RowCheck): boolean {
  if (rowOfC.length !== SIZE || rowOfC.some((value) => value >= MODULUS)) return false;
  const expected = timesCheck(rowOfA, check.y);
  return timesCheck(rowOfC, check.x).every((value, place) => value === expected[place]);
}

/** A row of 1,024 times a matrix of 1,024 × 4. Written out: this is most of what a verification costs. */
function timesCheck(row: Uint8Array, matrix: Uint8Array): number[] {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let place = 0, at = 0; place < SIZE; place++, at += 4) {
    const value = row[place] ?? 0;
    s0 += value * (matrix[at] ?? 0);
    s1 += value * (matrix[at + 1] ?? 0);
    s2 += value * (matrix[at + 2] ?? 0);
    s3 += value * (matrix[at + 3] ?? 0);
  }
  return [s0 % MODULUS, s1 % MODULUS, s2 % MODULUS, s3 % MODULUS];
}
