/** As much of WebAssembly's binary format as the kernel needs: made in memory at start, so that there is no binary to trust. */

/** Instructions, already encoded. */
export type Code = readonly number[];

export type WasmFunction = {
  readonly name: string;
  /** All of them i32. */
  readonly parameters: number;
  /** Locals behind the parameters, in this order. */
  readonly i32: number;
  readonly v128: number;
  readonly body: Code;
};

/** `\0asm`, version 1. */
const MAGIC = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const I32 = 0x7f;
const V128 = 0x7b;
const EMPTY_BLOCK = 0x40;
const END = 0x0b;

/** A module of functions without results over one memory, which it imports as `env.memory`. */
export function assemble(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const type = functions.map(({ parameters }) => [
    0x60,
    ...vector(repeat(parameters, [I32])),
    ...vector([]),
  ]);
  const memory = [...name("env"), ...name("memory"), 0x02, 0x00, ...unsigned(1)];
  const exported = functions.map((one, index) => [...name(one.name), 0x00, ...unsigned(index)]);
  const bodies = functions.map(({ i32, v128, body }) => {
    const locals = vector([
      [...unsigned(i32), I32],
      [...unsigned(v128), V128],
    ]);
    return sized([...locals, ...body, END]);
  });
  return Uint8Array.from([
    ...MAGIC,
    ...section(1, type),
    ...section(2, [memory]),
    ...section(
      3,
      functions.map((_, index) => unsigned(index)),
    ),
    ...section(7, exported),
    ...section(10, bodies),
  ]);
}

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, ...value: Code[]): Code => [
  ...value.flat(),
  0x21,
  ...unsigned(local),
];
export const i32 = (value: number): Code => [0x41, ...signed(value | 0)];

/** Runs its body, and again as long as `until` leaves anything but 0. */
export const loopWhile = (until: Code, ...body: Code[]): Code => [
  0x03,
  EMPTY_BLOCK,
  ...body.flat(),
  ...until,
  0x0d,
  0x00,
  END,
];

/** Operators take their operands first: `add(a, b)` is `a b i32.add`. */
const operator =
  (...opcode: number[]) =>
  (...operands: Code[]): Code => [...operands.flat(), ...opcode];
const simd =
  (opcode: number, ...immediate: number[]) =>
  (...operands: Code[]): Code => [...operands.flat(), 0xfd, ...unsigned(opcode), ...immediate];
const memarg = (offset: number): number[] => [0x00, ...unsigned(offset)];

export const add = operator(0x6a);
export const isBelow = operator(0x49);

export const load = (address: Code, offset = 0): Code => simd(0x00, ...memarg(offset))(address);
/** The i32 there, in all four lanes. */
export const loadSplat = (address: Code, offset = 0): Code =>
  simd(0x09, ...memarg(offset))(address);
export const store = (address: Code, value: Code, offset = 0): Code =>
  simd(0x0b, ...memarg(offset))(address, value);
/** The lower 8 bytes of `value`. */
export const store8 = (address: Code, value: Code, offset = 0): Code =>
  simd(0x5b, ...memarg(offset), 0x00)(address, value);
export const v128 = (...lanes: readonly [number, number, number, number]): Code => [
  0xfd,
  ...unsigned(0x0c),
  ...lanes.flatMap((lane) => [0, 8, 16, 24].map((shift) => (lane >>> shift) & 0xff)),
];
/** i32 lanes of two vectors, 0 to 3 of the first, 4 to 7 of the second. */
export const shuffle = (a: Code, b: Code, lanes: readonly [number, number, number, number]): Code =>
  simd(0x0d, ...lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte)))(a, b);
export const replaceLane = (vector: Code, lane: number, value: Code): Code =>
  simd(0x1c, lane)(vector, value);
export const and = simd(0x4e);
export const or = simd(0x50);
export const xor = simd(0x51);
export const shiftLeft = simd(0xab);
export const shiftRight = simd(0xad);
export const addLanes = simd(0xae);
export const multiplyLanes = simd(0xb5);
export const minLanes = simd(0xb7);
/** Signed 16-bit products, neighbours summed into i32. */
export const dot = simd(0xba);
export const addBytes = simd(0x6e);
export const minBytes = simd(0x77);
/** Two vectors of i32 to one of i16, two of i16 to one of u8: all values fit. */
export const narrow32 = simd(0x85);
export const narrow16 = simd(0x66);
/** The lower and the upper 8 bytes as 16-bit numbers. */
export const widenLow = simd(0x89);
export const widenHigh = simd(0x8a);

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const byte = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? byte : byte | 0x80);
  } while (rest !== 0);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const byte = rest & 0x7f;
    rest >>= 7;
    const isLast = (rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0);
    bytes.push(isLast ? byte : byte | 0x80);
    if (isLast) return bytes;
  }
}

function vector(items: readonly Code[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function sized(content: Code): number[] {
  return [...unsigned(content.length), ...content];
}

function section(id: number, items: readonly Code[]): number[] {
  return [id, ...sized(vector(items))];
}

function name(text: string): number[] {
  return sized([...new TextEncoder().encode(text)]);
}

function repeat(times: number, code: Code): Code[] {
  return Array.from({ length: times }, () => code);
}
