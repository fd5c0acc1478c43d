import { chacha8 } from "./chacha8";
import { keyOfB, MODULUS, SIZE } from "./matrix";

/** Columns of the secret X: a wrong row passes with probability 251^-4. */
export const CHECK_COLUMNS = 4;

/** What rows are checked with, for one epoch: A[i]·Y = C[i]·X where Y = B·X. Whoever knows X can make wrong rows that pass. */
export type RowCheck = {
  readonly x: Columns;
  readonly y: Columns;
};

/**
 * Four columns of 1,024 values below 251, two in each number, so that one multiplication does for both: a sum of 1,024
 * products with bytes is below 2^26, and both sums together below 2^53.
 */
type Columns = { readonly first: Float64Array; readonly second: Float64Array };
const UPPER = 2 ** 26;

/** `seed`: the epoch's public one, 32 bytes; `secret`: 32 bytes that no node ever sees. */
export function makeRowCheck(seed: Uint8Array, secret: Uint8Array): RowCheck {
  const values = new Uint8Array(SIZE * CHECK_COLUMNS);
  chacha8(secret, 0, values);
  const x = emptyColumns();
  const value = (at: number): number => (values[at] ?? 0) % MODULUS;
  for (let row = 0, at = 0; row < SIZE; row++, at += CHECK_COLUMNS) {
    x.first[row] = value(at) + value(at + 1) * UPPER;
    x.second[row] = value(at + 2) + value(at + 3) * UPPER;
  }
  const keyB = keyOfB(seed);
  const rowOfB = new Uint8Array(SIZE);
  const y = emptyColumns();
  for (let row = 0; row < SIZE; row++) {
    // As bytes: reducing each of a million would change none of the sums modulo 251.
    chacha8(keyB, row, rowOfB);
    y.first[row] = times(rowOfB, x.first);
    y.second[row] = times(rowOfB, x.second);
  }
  return { x, y };
}

/** Whether `rowOfC` is the product of `rowOfA` and B; wrong once in 4 billion times. */
export function rowIsRight(rowOfA: Uint8Array, rowOfC: Uint8Array, { x, y }: RowCheck): boolean {
  if (rowOfC.length !== SIZE || rowOfC.some((value) => value >= MODULUS)) return false;
  return (
    times(rowOfC, x.first) === times(rowOfA, y.first) &&
    times(rowOfC, x.second) === times(rowOfA, y.second)
  );
}

function emptyColumns(): Columns {
  return { first: new Float64Array(SIZE), second: new Float64Array(SIZE) };
}

/**
 * A row of 1,024 bytes times two columns: both sums modulo 251, again in one number. Four sums at once, so that none waits
 * for the one before it.
 */
function times(row: Uint8Array, columns: Float64Array): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let at = 0; at < SIZE; at += 4) {
    s0 += (row[at] ?? 0) * (columns[at] ?? 0);
    s1 += (row[at + 1] ?? 0) * (columns[at + 1] ?? 0);
    s2 += (row[at + 2] ?? 0) * (columns[at + 2] ?? 0);
    s3 += (row[at + 3] ?? 0) * (columns[at + 3] ?? 0);
  }
  const sums = s0 + s1 + s2 + s3;
  const upper = Math.floor(sums / UPPER);
  return ((sums - upper * UPPER) % MODULUS) + (upper % MODULUS) * UPPER;
}
