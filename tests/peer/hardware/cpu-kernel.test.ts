import { expect, it } from "vitest";
import { openCpuKernel, packPanels } from "#peer/hardware/cpu-kernel";
import { keyOfA, matrixB, matrixRow, productRow, SIZE } from "#protocol/poh/matrix";
import { digestPage, PAGE_BYTES, passStream } from "#protocol/poh/page-digest";
import { digestRow } from "#protocol/poh/row-digest";
import { computeRows, NONCE, SEED } from "#support/hardware-run";

const NODE = "n".repeat(43);
const key = keyOfA(NONCE, NODE);

it("comes to the same rows of A and of C as the protocol's own arithmetic", () => {
  const b = matrixB(SEED);
  const rows = computeRows(128, { nodeId: NODE });
  for (const number of [0, 1, 3, 4, 63, 64, 127]) {
    expect(rows[number]).toEqual(productRow(matrixRow(key, number), b));
  }
});

it("reduces every sum there can be, up to the largest", () => {
  const memory = new WebAssembly.Memory({ initial: 64 });
  const [b, a, c] = [0, 2 * SIZE * SIZE, 3 * SIZE * SIZE];
  // Column by column another value, so that with rows of 250, 249 … sums of all sizes come up.
  const values = Uint8Array.from({ length: SIZE * SIZE }, (_, at) => (at % SIZE) % 251);
  new Uint16Array(memory.buffer, b, SIZE * SIZE).set(packPanels(values));
  const factors = [250, 249, 1, 0];
  for (const [row, factor] of factors.entries()) {
    new Uint16Array(memory.buffer, a + row * 2 * SIZE, SIZE).fill(factor);
  }
  openCpuKernel(memory).multiply(a, b, c, 4);
  for (const [row, factor] of factors.entries()) {
    const got = new Uint8Array(memory.buffer, c + row * SIZE, SIZE);
    const right = Uint8Array.from({ length: SIZE }, (_, at) => (SIZE * factor * (at % 251)) % 251);
    expect(got).toEqual(right);
  }
});

it("makes rows from any number on, up to the last there can be", () => {
  const memory = new WebAssembly.Memory({ initial: 2 });
  new Uint8Array(memory.buffer).set(key);
  const last = 2 ** 26 - 2;
  openCpuKernel(memory).rows(0, last, 2, 1_024);
  const wide = new Uint16Array(memory.buffer, 1_024, 2 * SIZE);
  expect([...wide.subarray(0, SIZE)]).toEqual([...matrixRow(key, last)]);
  expect([...wide.subarray(SIZE)]).toEqual([...matrixRow(key, last + 1)]);
});

it("digests rows and pages as the protocol does, whatever bytes they hold", () => {
  const memory = new WebAssembly.Memory({ initial: 2 });
  const kernel = openCpuKernel(memory);
  const stream = passStream(key);
  const pages = Uint8Array.from(
    { length: 2 * PAGE_BYTES },
    (_, at) => (at * 167 + (at >> 8)) & 255,
  );
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(pages, 16_384);
  bytes.set(stream, 32_768);
  kernel.pages(16_384, 32_768, 2, 40_960);
  kernel.digests(16_384, 8, 49_152);
  const byPage = new Uint8Array(16);
  const byRow = new Uint8Array(64);
  for (let page = 0; page < 2; page++) {
    digestPage(pages.subarray(page * PAGE_BYTES), stream, byPage, 8 * page);
  }
  for (let row = 0; row < 8; row++) {
    digestRow(pages.subarray(row * SIZE, (row + 1) * SIZE), byRow, 8 * row);
  }
  expect(bytes.slice(40_960, 40_976)).toEqual(byPage);
  expect(bytes.slice(49_152, 49_216)).toEqual(byRow);
});
