import { createHash } from "node:crypto";

const MACH_O_64 = 0xfeedfacf;
const LC_SEGMENT_64 = 0x19;
const LC_CODE_SIGNATURE = 0x1d;
const CPU_ARM64 = 0x0100000c;
const HEADER_BYTES = 32;

const SUPER_BLOB = 0xfade0cc0;
const CODE_DIRECTORY = 0xfade0c02;
/** Version with the executable segment's place, which macOS wants since 10.14. */
const DIRECTORY_VERSION = 0x20400;
const DIRECTORY_BYTES = 88;
const SUPER_BLOB_BYTES = 20;
const FLAG_ADHOC = 0x2;
const FLAG_LINKER_SIGNED = 0x20000;
const MAIN_BINARY = 1n;
const PAGE_BYTES = 4_096;
const HASH_BYTES = 32;
const SHA256 = 2;

type Layout = {
  /** Where in the file the load command of each lies. */
  readonly signatureCommand: number;
  readonly linkeditCommand: number;
  readonly textCommand: number;
  readonly isArm64: boolean;
};

/**
 * Replaces the signature of a 64-bit Mach-O executable by an ad-hoc one, as a linker makes it. Bun 1.4.5
 * leaves on x64 the signature of its own executable, which no longer fits; macOS may kill such a process.
 * Source of the format: Apple's `cs_blobs.h`.
 */
export function signMachO(file: Uint8Array, identifier: string): Uint8Array<ArrayBuffer> {
  const source = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const layout = findCommands(source);
  const codeBytes = source.getUint32(layout.signatureCommand + 8, true);
  const identifierBytes = new TextEncoder().encode(`${identifier}\0`);
  const pages = Math.ceil(codeBytes / PAGE_BYTES);
  const directoryBytes = DIRECTORY_BYTES + identifierBytes.length + pages * HASH_BYTES;
  const signatureBytes = roundUp(SUPER_BLOB_BYTES + directoryBytes, 16);

  const signed = new Uint8Array(codeBytes + signatureBytes);
  signed.set(file.subarray(0, codeBytes));
  const view = new DataView(signed.buffer);
  // The load commands are part of what is signed, so they change first.
  fitCommands(view, layout, signatureBytes);

  const directory = codeBytes + SUPER_BLOB_BYTES;
  writeWords(view, codeBytes, [
    SUPER_BLOB,
    SUPER_BLOB_BYTES + directoryBytes,
    1,
    0,
    SUPER_BLOB_BYTES,
  ]);
  writeWords(view, directory, [
    CODE_DIRECTORY,
    directoryBytes,
    DIRECTORY_VERSION,
    FLAG_ADHOC | FLAG_LINKER_SIGNED,
    DIRECTORY_BYTES + identifierBytes.length,
    DIRECTORY_BYTES,
    0, // Special slots.
    pages,
    codeBytes,
  ]);
  signed.set([HASH_BYTES, SHA256, 0, Math.log2(PAGE_BYTES)], directory + 36);
  view.setBigUint64(directory + 64, view.getBigUint64(layout.textCommand + 40, true));
  view.setBigUint64(directory + 72, view.getBigUint64(layout.textCommand + 48, true));
  view.setBigUint64(directory + 80, MAIN_BINARY);
  signed.set(identifierBytes, directory + DIRECTORY_BYTES);

  let slot = directory + DIRECTORY_BYTES + identifierBytes.length;
  for (let start = 0; start < codeBytes; start += PAGE_BYTES) {
    const page = signed.subarray(start, Math.min(start + PAGE_BYTES, codeBytes));
    signed.set(createHash("sha256").update(page).digest(), slot);
    slot += HASH_BYTES;
  }
  return signed;
}

function findCommands(view: DataView): Layout {
  if (view.getUint32(0, true) !== MACH_O_64) throw new Error("This is no 64-bit Mach-O file.");
  const found = new Map<string, number>();
  let at = HEADER_BYTES;
  for (let left = view.getUint32(16, true); left > 0; left--) {
    const command = view.getUint32(at, true);
    if (command === LC_CODE_SIGNATURE) found.set("signature", at);
    if (command === LC_SEGMENT_64) found.set(segmentName(view, at), at);
    at += view.getUint32(at + 4, true);
  }
  return {
    signatureCommand: commandNamed("signature"),
    linkeditCommand: commandNamed("__LINKEDIT"),
    textCommand: commandNamed("__TEXT"),
    isArm64: view.getUint32(4, true) === CPU_ARM64,
  };

  function commandNamed(name: string): number {
    const place = found.get(name);
    if (place === undefined) throw new Error(`The Mach-O file has no load command for ${name}.`);
    return place;
  }
}

/** Makes the signature's command and the segment that holds it as long as the new signature. */
function fitCommands(view: DataView, layout: Layout, signatureBytes: number): void {
  const signatureStart = view.getUint32(layout.signatureCommand + 8, true);
  view.setUint32(layout.signatureCommand + 12, signatureBytes, true);
  const segmentStart = Number(view.getBigUint64(layout.linkeditCommand + 40, true));
  const segmentBytes = signatureStart + signatureBytes - segmentStart;
  const pageBytes = layout.isArm64 ? 16_384 : 4_096;
  view.setBigUint64(layout.linkeditCommand + 32, BigInt(roundUp(segmentBytes, pageBytes)), true);
  view.setBigUint64(layout.linkeditCommand + 48, BigInt(segmentBytes), true);
}

function segmentName(view: DataView, command: number): string {
  let name = "";
  for (let at = command + 8; at < command + 24 && view.getUint8(at) !== 0; at++) {
    name += String.fromCodePoint(view.getUint8(at));
  }
  return name;
}

function writeWords(view: DataView, start: number, words: readonly number[]): void {
  for (const [place, word] of words.entries()) view.setUint32(start + place * 4, word);
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
