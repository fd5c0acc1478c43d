/** A metadata value of GGUF v3; only the kinds that a llama model needs. */
export type MetadataValue =
  | { readonly kind: "uint32" | "float32"; readonly value: number }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "int32s" | "float32s"; readonly value: readonly number[] };

export type Tensor = {
  readonly name: string;
  /** Fastest-moving dimension first, as ggml counts them. */
  readonly dimensions: readonly number[];
  readonly values: Float32Array;
};

export type GgufFile = {
  readonly metadata: Readonly<Record<string, MetadataValue>>;
  readonly tensors: readonly Tensor[];
};

/** GGUF's default alignment: the data section and each tensor in it start on such a border. */
export const GGUF_ALIGNMENT_BYTES = 32;

const VERSION = 3;
const TENSOR_F32 = 0;
const TYPE = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const;

/** The file as a list of pieces in order, so that a large model is never copied into one buffer. */
export function encodeGguf({ metadata, tensors }: GgufFile): Uint8Array[] {
  const header = encodeHeader(metadata, tensors);
  const pieces = [header, zeros(paddingAfter(header.length))];
  for (const { values } of tensors) {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    pieces.push(bytes, zeros(paddingAfter(bytes.length)));
  }
  return pieces;
}

function encodeHeader(metadata: GgufFile["metadata"], tensors: readonly Tensor[]): Uint8Array {
  const entries = Object.entries(metadata);
  const parts = [text("GGUF"), u32(VERSION), u64(tensors.length), u64(entries.length)];
  for (const [key, value] of entries) parts.push(lengthAndText(key), encodeValue(value));

  let offset = 0;
  for (const { name, dimensions, values } of tensors) {
    parts.push(lengthAndText(name), u32(dimensions.length), ...dimensions.map(u64));
    parts.push(u32(TENSOR_F32), u64(offset));
    offset += values.byteLength + paddingAfter(values.byteLength);
  }
  return Buffer.concat(parts);
}

function encodeValue(entry: MetadataValue): Uint8Array {
  switch (entry.kind) {
    case "uint32":
      return Buffer.concat([u32(TYPE.uint32), u32(entry.value)]);
    case "float32":
      return Buffer.concat([u32(TYPE.float32), f32(entry.value)]);
    case "bool":
      return Buffer.concat([u32(TYPE.bool), Uint8Array.of(entry.value ? 1 : 0)]);
    case "string":
      return Buffer.concat([u32(TYPE.string), lengthAndText(entry.value)]);
    case "strings":
      return encodeArray(TYPE.string, entry.value.map(lengthAndText));
    case "float32s":
      return encodeArray(TYPE.float32, entry.value.map(f32));
    default:
      return encodeArray(TYPE.int32, entry.value.map(i32));
  }
}

function encodeArray(type: number, items: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([u32(TYPE.array), u32(type), u64(items.length), ...items]);
}

function paddingAfter(byteLength: number): number {
  return (GGUF_ALIGNMENT_BYTES - (byteLength % GGUF_ALIGNMENT_BYTES)) % GGUF_ALIGNMENT_BYTES;
}

function zeros(byteLength: number): Uint8Array {
  return new Uint8Array(byteLength);
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function lengthAndText(value: string): Uint8Array {
  const bytes = text(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function number(byteLength: number, write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  write(new DataView(bytes.buffer));
  return bytes;
}

const u32 = (value: number): Uint8Array => number(4, (view) => view.setUint32(0, value, true));
const i32 = (value: number): Uint8Array => number(4, (view) => view.setInt32(0, value, true));
const f32 = (value: number): Uint8Array => number(4, (view) => view.setFloat32(0, value, true));
const u64 = (value: number): Uint8Array =>
  number(8, (view) => view.setBigUint64(0, BigInt(value), true));
