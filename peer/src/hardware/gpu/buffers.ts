import { SIZE } from "#protocol/poh/matrix";
import { PAGE_BYTES } from "#protocol/poh/page-digest";

/** Rows in one buffer of the table: 64 MiB, which every device can bind. */
export const CHUNK_ROWS = 65_536;

/** B as the multiplying shader reads it: four values of a column, one under the other, in a word. */
export function packColumns(b: Uint8Array): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(SIZE * SIZE);
  for (let row = 0; row < SIZE; row++) {
    const to = (row >> 2) * 4 * SIZE + (row & 3);
    for (let column = 0; column < SIZE; column++) {
      packed[to + 4 * column] = b[row * SIZE + column] ?? 0;
    }
  }
  return packed;
}

export type Buffers = {
  readonly run: GPUBuffer;
  readonly key: GPUBuffer;
  readonly b: GPUBuffer;
  readonly a: GPUBuffer;
  /** Rows that are not kept. */
  readonly scratch: GPUBuffer;
  readonly digests: GPUBuffer;
  readonly stream: GPUBuffer;
  readonly readback: GPUBuffer;
};

/** Everything but the table, for batches of at most `rows` rows. */
export function makeBuffers(device: GPUDevice, rows: number, digestBytes: number): Buffers {
  const { COPY_DST, COPY_SRC, MAP_READ, STORAGE, UNIFORM } = GPUBufferUsage;
  const make = (size: number, usage: number) => device.createBuffer({ size, usage });
  return {
    run: make(16, UNIFORM | COPY_DST),
    key: make(32, STORAGE | COPY_DST),
    b: make(SIZE * SIZE, STORAGE | COPY_DST),
    a: make(rows * SIZE, STORAGE),
    scratch: make(rows * SIZE, STORAGE | COPY_SRC),
    digests: make(digestBytes, STORAGE | COPY_SRC),
    stream: make(PAGE_BYTES, STORAGE | COPY_DST),
    readback: make(Math.max(digestBytes, 64 * SIZE), MAP_READ | COPY_DST),
  };
}

/** A piece of the table; undefined where the device has no more memory. */
export async function makeChunk(device: GPUDevice): Promise<GPUBuffer | undefined> {
  device.pushErrorScope("out-of-memory");
  device.pushErrorScope("validation");
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
  const chunk = device.createBuffer({ size: CHUNK_ROWS * SIZE, usage });
  const problems = [await device.popErrorScope(), await device.popErrorScope()];
  if (problems.every((problem) => problem === null)) return chunk;
  chunk.destroy();
  return undefined;
}
