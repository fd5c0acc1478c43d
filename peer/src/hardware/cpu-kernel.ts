import { MODULUS, SIZE } from "#protocol/poh/matrix";
import { PAGE_BYTES } from "#protocol/poh/page-digest";
import { DIGEST_BYTES } from "#protocol/poh/row-digest";
import * as w from "./wasm-assembler";

/** Columns of C that are worked on at once, and rows: what fits the registers of every machine. */
export const PANEL_COLUMNS = 8;
const ROWS_AT_ONCE = 4;
/** Bytes of A's row as 16-bit numbers, and of the part of B that makes one panel of columns. */
export const WIDE_ROW_BYTES = 2 * SIZE;
const PANEL_BYTES = 2 * SIZE * PANEL_COLUMNS;
const STEPS_PER_TURN = 4;

export type CpuKernel = {
  /** Writes `count` rows of a matrix, from row `first` on, as 16-bit numbers at `to`. The key's 32 bytes lie at `key`. */
  readonly rows: (key: number, first: number, count: number, to: number) => void;
  /** C = A·B for `count` rows, a multiple of 4; B in panels (`packPanels`). */
  readonly multiply: (a: number, b: number, c: number, count: number) => void;
  /** Digests of `count` rows. */
  readonly digests: (rows: number, count: number, to: number) => void;
  /** Digests of `count` pages under a pass's stream. */
  readonly pages: (pages: number, stream: number, count: number, to: number) => void;
};

let compiled: WebAssembly.Module | undefined;

/** WebAssembly with SIMD: the one way of the CPU. The memory is the caller's. */
export function openCpuKernel(memory: WebAssembly.Memory): CpuKernel {
  compiled ??= new WebAssembly.Module(assembleKernel());
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  return exports as CpuKernel;
}

function assembleKernel(): Uint8Array<ArrayBuffer> {
  return w.assemble([rows(), multiply(), digests(), pages()]);
}

/**
 * B as the kernel reads it: for each 8 columns, for each two rows, the pairs of values under each other as 16-bit numbers. It
 * is what `dot` multiplies with a pair of A's row; 16 KiB a panel, which a first-level cache keeps.
 */
export function packPanels(b: Uint8Array): Uint16Array<ArrayBuffer> {
  const packed = new Uint16Array(SIZE * SIZE);
  let at = 0;
  for (let panel = 0; panel < SIZE; panel += PANEL_COLUMNS) {
    for (let row = 0; row < SIZE; row += 2) {
      for (let column = panel; column < panel + PANEL_COLUMNS; column++) {
        packed[at++] = b[row * SIZE + column] ?? 0;
        packed[at++] = b[(row + 1) * SIZE + column] ?? 0;
      }
    }
  }
  return packed;
}

/** ChaCha8, one block after the other, its words reduced to bytes below 251 and widened. */
function rows(): w.WasmFunction {
  const [key, first, count, to, block, left] = [0, 1, 2, 3, 4, 5];
  const [a, b, c, d, keyLow, keyHigh, nonce] = [6, 7, 8, 9, 10, 11, 12];
  const sigma = w.v128(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574);
  const rotate = (local: number, by: number) =>
    w.set(
      local,
      w.or(w.shiftLeft(w.get(local), w.i32(by)), w.shiftRight(w.get(local), w.i32(32 - by))),
    );
  const mixInto = (sum: number, other: number, target: number, by: number) => [
    ...w.set(sum, w.addLanes(w.get(sum), w.get(other))),
    ...w.set(target, w.xor(w.get(target), w.get(sum))),
    ...rotate(target, by),
  ];
  const quarterRounds = [
    ...mixInto(a, b, d, 16),
    ...mixInto(c, d, b, 12),
    ...mixInto(a, b, d, 8),
    ...mixInto(c, d, b, 7),
  ];
  const turn = (local: number, by: number) => {
    const lanes = [by % 4, (by + 1) % 4, (by + 2) % 4, (by + 3) % 4] as const;
    return w.set(local, w.shuffle(w.get(local), w.get(local), lanes));
  };
  const doubleRound = [
    ...quarterRounds,
    ...turn(b, 1),
    ...turn(c, 2),
    ...turn(d, 3),
    ...quarterRounds,
    ...turn(b, 3),
    ...turn(c, 2),
    ...turn(d, 1),
  ];
  const writeWords = (local: number, start: w.Code, offset: number) => {
    const words = w.addLanes(w.get(local), start);
    // A byte from 251 on becomes less by 251; below, adding 5 only makes more of it.
    const wrap = w.v128(0x05050505, 0x05050505, 0x05050505, 0x05050505);
    return [
      ...w.set(local, words),
      ...w.set(local, w.minBytes(w.get(local), w.addBytes(w.get(local), wrap))),
      ...w.store(w.get(to), w.widenLow(w.get(local)), offset),
      ...w.store(w.get(to), w.widenHigh(w.get(local)), offset + 16),
    ];
  };
  return {
    name: "rows",
    parameters: 4,
    i32: 2,
    v128: 7,
    body: [
      ...w.set(keyLow, w.load(w.get(key))),
      ...w.set(keyHigh, w.load(w.get(key), 16)),
      ...w.set(left, w.get(count)),
      ...w.loopWhile(
        w.get(left),
        w.set(block, w.i32(0)),
        w.loopWhile(
          w.isBelow(w.get(block), w.i32(SIZE / 64)),
          w.set(nonce, w.replaceLane(w.v128(0, 0, 0, 0), 0, w.get(block))),
          w.set(nonce, w.replaceLane(w.get(nonce), 1, w.get(first))),
          w.set(a, sigma),
          w.set(b, w.get(keyLow)),
          w.set(c, w.get(keyHigh)),
          w.set(d, w.get(nonce)),
          ...Array.from({ length: 4 }, () => doubleRound),
          writeWords(a, sigma, 0),
          writeWords(b, w.get(keyLow), 32),
          writeWords(c, w.get(keyHigh), 64),
          writeWords(d, w.get(nonce), 96),
          w.set(to, w.add(w.get(to), w.i32(128))),
          w.set(block, w.add(w.get(block), w.i32(1))),
        ),
        w.set(first, w.add(w.get(first), w.i32(1))),
        w.set(left, w.add(w.get(left), w.i32(-1))),
      ),
    ],
  };
}

function multiply(): w.WasmFunction {
  const [a, b, c, count, panel, left, steps, aAt, bAt, cAt] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const firstSum = 10;
  const [b0, b1, pair] = [firstSum + 2 * ROWS_AT_ONCE, 19, 20];
  const sums = Array.from({ length: 2 * ROWS_AT_ONCE }, (_, place) => firstSum + place);
  const rowsAtOnce = Array.from({ length: ROWS_AT_ONCE }, (_, row) => row);
  const step = (turn: number): w.Code[] => [
    w.set(b0, w.load(w.get(bAt), 32 * turn)),
    w.set(b1, w.load(w.get(bAt), 32 * turn + 16)),
    ...rowsAtOnce.flatMap((row) => {
      const [left, right] = [firstSum + 2 * row, firstSum + 2 * row + 1];
      return [
        w.set(pair, w.loadSplat(w.get(aAt), row * WIDE_ROW_BYTES + 4 * turn)),
        w.set(left, w.addLanes(w.get(left), w.dot(w.get(pair), w.get(b0)))),
        w.set(right, w.addLanes(w.get(right), w.dot(w.get(pair), w.get(b1)))),
      ];
    }),
  ];
  return {
    name: "multiply",
    parameters: 4,
    i32: 6,
    v128: 2 * ROWS_AT_ONCE + 3,
    body: [
      ...w.set(panel, w.i32(SIZE / PANEL_COLUMNS)),
      ...w.loopWhile(
        w.get(panel),
        w.set(left, w.get(count)),
        w.set(aAt, w.get(a)),
        w.set(cAt, w.get(c)),
        w.loopWhile(
          w.get(left),
          w.set(bAt, w.get(b)),
          ...sums.map((sum) => w.set(sum, w.v128(0, 0, 0, 0))),
          w.set(steps, w.i32(SIZE / 2 / STEPS_PER_TURN)),
          w.loopWhile(
            w.get(steps),
            ...Array.from({ length: STEPS_PER_TURN }, (_, turn) => step(turn)).flat(),
            w.set(aAt, w.add(w.get(aAt), w.i32(4 * STEPS_PER_TURN))),
            w.set(bAt, w.add(w.get(bAt), w.i32(32 * STEPS_PER_TURN))),
            w.set(steps, w.add(w.get(steps), w.i32(-1))),
          ),
          ...sums.map(reduce),
          ...rowsAtOnce.map((row) => {
            const wide = w.narrow32(w.get(firstSum + 2 * row), w.get(firstSum + 2 * row + 1));
            return w.store8(w.get(cAt), w.narrow16(wide, wide), row * SIZE);
          }),
          // The steps went along one row; the other three lie behind it.
          w.set(aAt, w.add(w.get(aAt), w.i32((ROWS_AT_ONCE - 1) * WIDE_ROW_BYTES))),
          w.set(cAt, w.add(w.get(cAt), w.i32(ROWS_AT_ONCE * SIZE))),
          w.set(left, w.add(w.get(left), w.i32(-ROWS_AT_ONCE))),
        ),
        w.set(b, w.add(w.get(b), w.i32(PANEL_BYTES))),
        w.set(c, w.add(w.get(c), w.i32(PANEL_COLUMNS))),
        w.set(panel, w.add(w.get(panel), w.i32(-1))),
      ),
    ],
  };
}

/** Sums below 2^26 modulo 251, without a division: 256 is 5 more than 251, so the upper part counts fivefold. */
function reduce(sum: number): w.Code {
  const upper = w.shiftRight(w.get(sum), w.i32(8));
  const lower = w.and(w.get(sum), w.v128(0xff, 0xff, 0xff, 0xff));
  const fold = w.set(sum, w.addLanes(lower, w.addLanes(upper, w.shiftLeft(upper, w.i32(2)))));
  const less = w.addLanes(w.get(sum), w.v128(-MODULUS, -MODULUS, -MODULUS, -MODULUS));
  // What is below 251 becomes huge, as an unsigned number, where 251 is taken from it.
  return [...fold, ...fold, ...fold, ...fold, ...w.set(sum, w.minLanes(w.get(sum), less))];
}

/** As `digestRow` of the protocol: four words at once. */
function digests(): w.WasmFunction {
  const [at, count, to, steps] = [0, 1, 2, 3];
  const [plain, weighted, mixed, place, weight] = [4, 5, 6, 7, 8];
  const GOLDEN = 0x9e3779b9;
  const golden = (times: number) => Math.imul(times, GOLDEN);
  const xorShifted = (by: number) =>
    w.set(mixed, w.xor(w.get(mixed), w.shiftRight(w.get(mixed), w.i32(by))));
  const times = (factor: number) =>
    w.set(mixed, w.multiplyLanes(w.get(mixed), w.v128(factor, factor, factor, factor)));
  return {
    name: "digests",
    parameters: 3,
    i32: 1,
    v128: 5,
    body: w.loopWhile(
      w.get(count),
      w.set(plain, w.v128(0, 0, 0, 0)),
      w.set(weighted, w.v128(0, 0, 0, 0)),
      w.set(place, w.v128(golden(1), golden(2), golden(3), golden(4))),
      w.set(weight, w.v128(1, 3, 5, 7)),
      w.set(steps, w.i32(SIZE / 16)),
      w.loopWhile(
        w.get(steps),
        w.set(mixed, w.addLanes(w.load(w.get(at)), w.get(place))),
        xorShifted(16),
        times(0x7feb352d),
        xorShifted(15),
        times(0x846ca68b),
        xorShifted(16),
        w.set(plain, w.addLanes(w.get(plain), w.get(mixed))),
        w.set(weighted, w.addLanes(w.get(weighted), w.multiplyLanes(w.get(mixed), w.get(weight)))),
        w.set(place, w.addLanes(w.get(place), w.v128(golden(4), golden(4), golden(4), golden(4)))),
        w.set(weight, w.addLanes(w.get(weight), w.v128(8, 8, 8, 8))),
        w.set(at, w.add(w.get(at), w.i32(16))),
        w.set(steps, w.add(w.get(steps), w.i32(-1))),
      ),
      // Lanes 0 and 2, 1 and 3 of the two sums beside each other, summed twice.
      w.set(
        mixed,
        w.addLanes(
          w.shuffle(w.get(plain), w.get(weighted), [0, 4, 1, 5]),
          w.shuffle(w.get(plain), w.get(weighted), [2, 6, 3, 7]),
        ),
      ),
      w.set(mixed, w.addLanes(w.get(mixed), w.shuffle(w.get(mixed), w.get(mixed), [2, 3, 0, 1]))),
      w.store8(w.get(to), w.get(mixed)),
      w.set(to, w.add(w.get(to), w.i32(DIGEST_BYTES))),
      w.set(count, w.add(w.get(count), w.i32(-1))),
    ),
  };
}

/** As `digestPage` of the protocol: nothing but loads, products and sums, so that memory is what limits it. */
function pages(): w.WasmFunction {
  const [at, stream, count, to, end, key, left, right] = [0, 1, 2, 3, 4, 5, 6, 7];
  const half = (sum: number, offset: number) =>
    w.set(
      sum,
      w.addLanes(w.get(sum), w.dot(w.load(w.get(at), offset), w.load(w.get(key), offset))),
    );
  return {
    name: "pages",
    parameters: 4,
    i32: 2,
    v128: 2,
    body: w.loopWhile(
      w.get(count),
      w.set(end, w.add(w.get(at), w.i32(PAGE_BYTES))),
      w.set(key, w.get(stream)),
      w.set(left, w.v128(0, 0, 0, 0)),
      w.set(right, w.v128(0, 0, 0, 0)),
      w.loopWhile(
        w.isBelow(w.get(at), w.get(end)),
        half(left, 0),
        half(right, 16),
        half(left, 32),
        half(right, 48),
        w.set(at, w.add(w.get(at), w.i32(64))),
        w.set(key, w.add(w.get(key), w.i32(64))),
      ),
      w.set(left, w.addLanes(w.get(left), w.get(right))),
      w.set(left, w.addLanes(w.get(left), w.shuffle(w.get(left), w.get(left), [2, 3, 0, 1]))),
      w.store8(w.get(to), w.get(left)),
      w.set(to, w.add(w.get(to), w.i32(DIGEST_BYTES))),
      w.set(count, w.add(w.get(count), w.i32(-1))),
    ),
  };
}
