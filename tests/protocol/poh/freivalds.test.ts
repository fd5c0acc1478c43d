import { expect, it } from "vitest";
import { makeRowCheck, rowIsRight } from "#protocol/poh/freivalds";
import { MODULUS, matrixB, productRow, SIZE } from "#protocol/poh/matrix";

const SEED = new Uint8Array(32).fill(5);
const check = makeRowCheck(SEED, new Uint8Array(32).fill(6));
const b = matrixB(SEED);

it("knows each row of B, and each of its values from the next one", () => {
  for (let row = 0; row < SIZE; row++) {
    const one = new Uint8Array(SIZE);
    one[row] = 1;
    const right = b.slice(row * SIZE, (row + 1) * SIZE);
    expect(rowIsRight(one, right, check)).toBe(true);
    right[row] = ((right[row] ?? 0) + 1) % MODULUS;
    expect(rowIsRight(one, right, check)).toBe(false);
  }
});

it("comes to the right sums where they are largest", () => {
  const most = new Uint8Array(SIZE).fill(MODULUS - 1);
  const right = productRow(most, b);
  expect(rowIsRight(most, right, check)).toBe(true);
  expect(rowIsRight(right, productRow(right, b), check)).toBe(true);
  expect(rowIsRight(most, most, check)).toBe(false);
});

/** The two values in each number of a pair of columns. */
const valuesOf = (columns: Float64Array, place: number): [number, number] => {
  const both = columns[place] ?? 0;
  return [both % 2 ** 26, Math.floor(both / 2 ** 26)];
};
const modulo = (value: number) => ((value % MODULUS) + MODULUS) % MODULUS;

it.each(["first", "second"] as const)(
  "finds what the %s two of its four columns do not see",
  (unseeing) => {
    const u = valuesOf(check.x[unseeing], 0);
    const v = valuesOf(check.x[unseeing], 1);
    const w = valuesOf(check.x[unseeing], 2);
    // A difference in three places that is at right angles to both columns: their cross product.
    const difference = [
      v[0] * w[1] - v[1] * w[0],
      w[0] * u[1] - w[1] * u[0],
      u[0] * v[1] - u[1] * v[0],
    ].map(modulo);
    for (const column of [0, 1] as const) {
      const [d0 = 0, d1 = 0, d2 = 0] = difference;
      expect(modulo(d0 * u[column] + d1 * v[column] + d2 * w[column])).toBe(0);
    }
    const wrong = b.slice(0, SIZE);
    for (const [place, value] of difference.entries()) {
      wrong[place] = ((wrong[place] ?? 0) + value) % MODULUS;
    }
    const one = new Uint8Array(SIZE).with(0, 1);
    expect(rowIsRight(one, wrong, check)).toBe(false);
  },
);
