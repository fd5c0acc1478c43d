import { GGUF_ALIGNMENT_BYTES } from "./gguf-encode";

export type GgufContents = {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, unknown>;
  readonly tensors: readonly {
    readonly name: string;
    readonly dimensions: readonly number[];
    /** From the start of the data section, in bytes. */
    readonly offset: number;
  }[];
  /** Where the data section starts in the file. */
  readonly dataOffset: number;
};

/** Reads a GGUF file's header by the published format, apart from the code that writes it. */
export function readGguf(file: Buffer): GgufContents {
  let position = 0;
  const take = (byteLength: number): Buffer => {
    position += byteLength;
    return file.subarray(position - byteLength, position);
  };
  const u32 = (): number => take(4).readUInt32LE();
  const u64 = (): number => Number(take(8).readBigUInt64LE());
  const text = (): string => take(u64()).toString();
  const value = (type: number): unknown => {
    if (type === 4) return u32();
    if (type === 5) return take(4).readInt32LE();
    if (type === 6) return take(4).readFloatLE();
    if (type === 7) return take(1)[0] === 1;
    if (type === 8) return text();
    if (type !== 9) throw new Error(`a value of type ${type}, which these models have none of`);
    const itemType = u32();
    return Array.from({ length: u64() }, () => value(itemType));
  };

  if (take(4).toString() !== "GGUF") throw new Error("not a GGUF file");
  const version = u32();
  const tensorCount = u64();
  const entryCount = u64();
  const metadata = new Map<string, unknown>();
  for (let i = 0; i < entryCount; i++) metadata.set(text(), value(u32()));
  const tensors = Array.from({ length: tensorCount }, () => {
    const name = text();
    const dimensions = Array.from({ length: u32() }, u64);
    if (u32() !== 0) throw new Error(`tensor ${name} is not of 32-bit floats`);
    return { name, dimensions, offset: u64() };
  });
  const dataOffset = Math.ceil(position / GGUF_ALIGNMENT_BYTES) * GGUF_ALIGNMENT_BYTES;
  return { version, metadata, tensors, dataOffset };
}
