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
