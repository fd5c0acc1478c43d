import { DIGESTS_PER_LEAF, pagesOf } from "#protocol/hardware";
import { matrixB, SIZE } from "#protocol/poh/matrix";
import { DIGEST_BYTES } from "#protocol/poh/row-digest";
import { labelOf, refusalOf } from "./adapter";
import { CHUNK_ROWS, makeBuffers, makeChunk, packColumns } from "./buffers";
import { DIGESTS, MULTIPLY, PAGES, ROWS, TILE } from "./shaders";

export type GpuOptions = {
  /** For tests of what is computed, on machines without a GPU. */
  readonly allowSoftware?: boolean;
  /** Rows to keep at most, a multiple of 65,536. */
  readonly tableRows?: number;
};

export type GpuKernel = {
  readonly label: string;
  readonly tableRowsWanted: number;
  /** Sets out anew: B is made, nothing is kept. */
  begin(keyA: Uint8Array, seed: Uint8Array): Promise<void>;
  /** Some more rows, in less than a tenth of a second; resolves to their digests. */
  step(): Promise<Uint8Array>;
  readonly tableRows: number;
  leafRows(leaf: number): Promise<Uint8Array>;
  pass(stream: Uint8Array): Promise<Uint8Array>;
  close(): void;
};

/** No GPU that could be used; `message` says why. */
export class NoGpu extends Error {
  override readonly name = "NoGpu";
}

/** 512 MiB, more than any cache. */
const TABLE_ROWS = 8 * CHUNK_ROWS;
const LEAST_BATCH = 256;
/** Well below what makes a desktop stutter, and systems reset a device at two seconds. */
const BATCH_MS = 30;
const GROUPS_ACROSS = 32_768;

export async function openGpuKernel(gpu: GPU, options: GpuOptions = {}): Promise<GpuKernel> {
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null) throw new NoGpu("no GPU was found");
  const refusal = refusalOf(adapter.info, options.allowSoftware === true);
  if (refusal !== undefined) throw new NoGpu(`${labelOf(adapter.info)} is not used: ${refusal}`);
  if (!gpu.wgslLanguageFeatures.has("packed_4x8_integer_dot_product")) {
    throw new NoGpu("its driver has no dot products of bytes");
  }
  const device = await adapter.requestDevice();
  const tableRowsWanted = options.tableRows ?? TABLE_ROWS;
  const pagesInChunk = pagesOf(CHUNK_ROWS);
  device.pushErrorScope("out-of-memory");
  const buffers = makeBuffers(device, CHUNK_ROWS, CHUNK_ROWS * DIGEST_BYTES);
  if ((await device.popErrorScope()) !== null) throw new NoGpu("its memory is taken");
  const pipeline = (code: string) =>
    device.createComputePipeline({
      layout: "auto",
      compute: { module: device.createShaderModule({ code }), entryPoint: "main" },
    });
  const rowsPipeline = pipeline(ROWS);
  const multiplyPipeline = pipeline(MULTIPLY);
  const digestsPipeline = pipeline(DIGESTS);
  const pagesPipeline = pipeline(PAGES);

  let chunks: GPUBuffer[] = [];
  let isTableFull = false;
  let done = 0;
  let batch = LEAST_BATCH;

  const bound = (of: GPUComputePipeline, entries: readonly GPUBindingResource[]): GPUBindGroup =>
    device.createBindGroup({
      layout: of.getBindGroupLayout(0),
      entries: entries.map((resource, binding) => ({ binding, resource })),
    });

  async function readBack(bytes: number): Promise<Uint8Array> {
    await buffers.readback.mapAsync(GPUMapMode.READ, 0, bytes);
    const read = new Uint8Array(buffers.readback.getMappedRange(0, bytes)).slice();
    buffers.readback.unmap();
    return read;
  }

  /** Computes rows into `to`; their digests lie in the buffer for them. */
  function encodeRows(
    encoder: GPUCommandEncoder,
    first: number,
    count: number,
    to: GPUBufferBinding,
  ) {
    device.queue.writeBuffer(buffers.run, 0, Uint32Array.of(first, count, 0, 0));
    const pass = encoder.beginComputePass();
    const run = (of: GPUComputePipeline, group: GPUBindGroup, x: number, y = 1) => {
      pass.setPipeline(of);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(x, y);
    };
    const a = { buffer: buffers.a };
    const rows = [{ buffer: buffers.run }, { buffer: buffers.key }, a];
    run(rowsPipeline, bound(rowsPipeline, rows), (count * 16) / 64);
    const operands = [a, { buffer: buffers.b }, to];
    run(multiplyPipeline, bound(multiplyPipeline, operands), SIZE / TILE, count / TILE);
    const digested = [to, { buffer: buffers.digests }];
    // Batches have an even number of rows, and no more than twice as many as there may be groups in a line.
    const across = count > GROUPS_ACROSS ? count / 2 : count;
    run(digestsPipeline, bound(digestsPipeline, digested), across, count / across);
    pass.end();
  }

  /** Where rows from `first` on are to lie; the table takes the first ones as long as the device has room. */
  async function placeFor(first: number): Promise<GPUBufferBinding & { readonly room: number }> {
    const chunk = Math.floor(first / CHUNK_ROWS);
    if (!isTableFull && first < tableRowsWanted && chunk === chunks.length) {
      const made = await makeChunk(device);
      if (made === undefined) isTableFull = true;
      else chunks.push(made);
    }
    const buffer = chunks[chunk];
    const inChunk = first % CHUNK_ROWS;
    if (buffer === undefined) return { buffer: buffers.scratch, room: CHUNK_ROWS };
    return { buffer, offset: inChunk * SIZE, room: CHUNK_ROWS - inChunk };
  }

  return {
    label: labelOf(adapter.info),
    tableRowsWanted,
    async begin(keyA, seed) {
      for (const chunk of chunks) chunk.destroy();
      chunks = [];
      isTableFull = false;
      done = 0;
      batch = LEAST_BATCH;
      device.queue.writeBuffer(buffers.key, 0, new Uint8Array(keyA));
      device.queue.writeBuffer(buffers.b, 0, packColumns(matrixB(seed)));
      await device.queue.onSubmittedWorkDone();
    },
    async step() {
      const startMs = performance.now();
      const { room, ...to } = await placeFor(done);
      const count = Math.min(batch, room);
      const encoder = device.createCommandEncoder();
      encodeRows(encoder, done, count, { ...to, size: count * SIZE });
      const bytes = count * DIGEST_BYTES;
      encoder.copyBufferToBuffer(buffers.digests, 0, buffers.readback, 0, bytes);
      device.queue.submit([encoder.finish()]);
      const digests = await readBack(bytes);
      done += count;
      const tookMs = performance.now() - startMs;
      // A power of two, so that batches fill a chunk exactly.
      if (count === batch && tookMs > 2 * BATCH_MS) batch = Math.max(LEAST_BATCH, batch / 2);
      else if (count === batch && tookMs < BATCH_MS / 2) batch = Math.min(CHUNK_ROWS, batch * 2);
      return digests;
    },
    get tableRows() {
      return Math.min(done, chunks.length * CHUNK_ROWS);
    },
    async leafRows(leaf) {
      const first = leaf * DIGESTS_PER_LEAF;
      const encoder = device.createCommandEncoder();
      const bytes = DIGESTS_PER_LEAF * SIZE;
      const kept = chunks[Math.floor(first / CHUNK_ROWS)];
      if (kept === undefined) {
        encodeRows(encoder, first, DIGESTS_PER_LEAF, { buffer: buffers.scratch, size: bytes });
      }
      const at = kept === undefined ? 0 : (first % CHUNK_ROWS) * SIZE;
      encoder.copyBufferToBuffer(kept ?? buffers.scratch, at, buffers.readback, 0, bytes);
      device.queue.submit([encoder.finish()]);
      return readBack(bytes);
    },
    async pass(stream) {
      const tableRows = Math.min(done, chunks.length * CHUNK_ROWS);
      const all = new Uint8Array(pagesOf(tableRows) * DIGEST_BYTES);
      device.queue.writeBuffer(buffers.stream, 0, new Uint8Array(stream));
      const encoder = device.createCommandEncoder();
      for (const [place, chunk] of chunks.entries()) {
        const pages = Math.min(pagesInChunk, pagesOf(tableRows) - place * pagesInChunk);
        if (pages <= 0) break;
        const offset = place * pagesInChunk * DIGEST_BYTES;
        const size = pages * DIGEST_BYTES;
        const digests = { buffer: buffers.digests, offset, size };
        const group = bound(pagesPipeline, [
          { buffer: chunk },
          { buffer: buffers.stream },
          digests,
        ]);
        const pass = encoder.beginComputePass();
        pass.setPipeline(pagesPipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(pages);
        pass.end();
      }
      encoder.copyBufferToBuffer(buffers.digests, 0, buffers.readback, 0, all.length);
      device.queue.submit([encoder.finish()]);
      all.set(await readBack(all.length));
      return all;
    },
    close: () => device.destroy(),
  };
}
