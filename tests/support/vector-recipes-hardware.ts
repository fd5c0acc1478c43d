import { createHash } from "node:crypto";
import type { VectorCase, VectorFile } from "./vector-case";

/** Made without protocol/: numbers without bounds, one step after the other as docs/hardware.md says them. */

const SIZE = 1_024;
const WORD = 2n ** 32n;
const SEED = Buffer.alloc(32, 7);
const NONCE = Buffer.alloc(32, 9);
const NODE = "n".repeat(43);

const sha256 = (...parts: (string | Buffer)[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

export function hardwareVectors(): VectorFile {
  const keyA = sha256("troop-poh/1 A", NONCE, NODE);
  const b = Array.from({ length: SIZE }, (_, row) => matrixRow(sha256("troop-poh/1 B", SEED), row));
  const product = (row: number) => {
    const a = matrixRow(keyA, row);
    return Array.from({ length: SIZE }, (_, column) =>
      a.reduce((sum, value, inner) => (sum + value * (b[inner]?.[column] ?? 0)) % 251, 0),
    );
  };
  const rows = [0, 1, 2, 3].map((row) => product(row));
  const page = Buffer.from(rows.flat());
  const issued = Buffer.alloc(32, 4);
  const firstKey = sha256("troop-poh/1 pass", issued);
  const nextKey = sha256("troop-poh/1 pass", issued, Buffer.alloc(32, 5));
  return {
    about:
      "Proof of hardware. ChaCha8 in the layout of RFC 8439; rows of A and of C = A·B modulo 251; the digests of a row and of a page; the trees over them. Bytes are hex; long ones are told by their SHA-256.",
    cases: [
      // The keystream that draft-strombergson-chacha-test-vectors gives for 8 rounds and a key of zeros.
      {
        name: "chacha8: a key of zeros, 64 bytes",
        op: "chacha8",
        input: { key: "00".repeat(32), stream: 0, bytes: 64 },
        expect:
          "3e00ef2f895f40d67f5bb8e81f09a5a12c840ec3ce9a7f3b181be188ef711a1e984ce172b9216f419f445367456d5619314a42a3da86b001387bfdb80e0cfe42",
      },
      chacha(keyA, 0, 64),
      chacha(keyA, 67_108_863, 192),
      ...[0, 1, 1_023, 67_108_863].map((row) => ({
        name: `row ${row} of A`,
        op: "matrix_row",
        input: { nonce: hex(NONCE), node: NODE, row },
        expect: hex(sha256(Buffer.from(matrixRow(keyA, row)))),
      })),
      ...[0, 3].map((row) => ({
        name: `row ${row} of C`,
        op: "product_row",
        input: { nonce: hex(NONCE), node: NODE, seed: hex(SEED), row },
        expect: hex(sha256(Buffer.from(rows[row] ?? []))),
      })),
      rowDigest("row 0 of C", Buffer.from(rows[0] ?? [])),
      rowDigest("zeros", Buffer.alloc(SIZE)),
      rowDigest("all bits set", Buffer.alloc(SIZE, 255)),
      passKey("the first", issued, undefined, firstKey),
      passKey("one behind another pass", issued, Buffer.alloc(32, 5), nextKey),
      pageDigest("four rows of C under the first key", page, firstKey),
      pageDigest("all bits set", Buffer.alloc(4 * SIZE, 255), nextKey),
      ...[1, 64, 65, 200].map(tree),
    ],
  };
}

function matrixRow(key: Buffer, row: number): number[] {
  return [...keystream(key, row, SIZE)].map((byte) => byte % 251);
}

function keystream(key: Buffer, stream: number, length: number): Buffer {
  const words = (bytes: Buffer) =>
    Array.from({ length: bytes.length / 4 }, (_, word) => BigInt(bytes.readUInt32LE(4 * word)));
  const blocks: Buffer[] = [];
  for (let block = 0; block * 64 < length; block++) {
    const counter = [BigInt(block), BigInt(stream), 0n, 0n];
    const first = [...words(Buffer.from("expand 32-byte k")), ...words(key), ...counter];
    const state = [...first];
    for (let round = 0; round < 4; round++) {
      for (const column of [0, 1, 2, 3])
        quarter(state, column, 4 + column, 8 + column, 12 + column);
      for (const [a, b, c, d] of DIAGONALS) quarter(state, a, b, c, d);
    }
    const out = Buffer.alloc(64);
    for (const [place, word] of state.entries()) {
      out.writeUInt32LE(Number((word + (first[place] ?? 0n)) % WORD), 4 * place);
    }
    blocks.push(out);
  }
  return Buffer.concat(blocks);
}

const DIAGONALS = [
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const;

function quarter(state: bigint[], a: number, b: number, c: number, d: number): void {
  const at = (place: number) => state[place] ?? 0n;
  for (const [sum, other, target, by] of [
    [a, b, d, 16n],
    [c, d, b, 12n],
    [a, b, d, 8n],
    [c, d, b, 7n],
  ] as const) {
    state[sum] = (at(sum) + at(other)) % WORD;
    const mixed = at(target) ^ at(sum);
    state[target] = ((mixed << by) | (mixed >> (32n - by))) % WORD;
  }
}

function mix(word: bigint): bigint {
  let mixed = word ^ (word >> 16n);
  mixed = (mixed * 0x7feb352dn) % WORD;
  mixed ^= mixed >> 15n;
  mixed = (mixed * 0x846ca68bn) % WORD;
  return mixed ^ (mixed >> 16n);
}

function digestOfRow(row: Buffer): Buffer {
  let plain = 0n;
  let weighted = 0n;
  for (let place = 0; 4 * place < row.length; place++) {
    const word = BigInt(row.readUInt32LE(4 * place)) + BigInt(place + 1) * 0x9e3779b9n;
    const mixed = mix(word % WORD);
    plain += mixed;
    weighted += mixed * BigInt(2 * place + 1);
  }
  return twoWords(plain, weighted);
}

function twoWords(first: bigint, second: bigint): Buffer {
  const out = Buffer.alloc(8);
  for (const [place, word] of [first, second].entries()) {
    out.writeUInt32LE(Number(((word % WORD) + WORD) % WORD), 4 * place);
  }
  return out;
}

function chacha(key: Buffer, stream: number, bytes: number): VectorCase {
  return {
    name: `chacha8: stream ${stream}, ${bytes} bytes`,
    op: "chacha8",
    input: { key: hex(key), stream, bytes },
    expect: hex(keystream(key, stream, bytes)),
  };
}

function rowDigest(name: string, row: Buffer): VectorCase {
  const input = { row: hex(row) };
  return { name: `row digest: ${name}`, op: "row_digest", input, expect: hex(digestOfRow(row)) };
}

function passKey(
  name: string,
  issued: Buffer,
  before: Buffer | undefined,
  expect: Buffer,
): VectorCase {
  const input = { issued: hex(issued), ...(before && { before: hex(before) }) };
  return { name: `pass key: ${name}`, op: "pass_key", input, expect: hex(expect) };
}

function pageDigest(name: string, page: Buffer, key: Buffer): VectorCase {
  const stream = keystream(key, 0, page.length);
  const sums = [0n, 0n];
  for (let at = 0; at < page.length; at += 2) {
    const place = (at >> 2) & 1;
    sums[place] = (sums[place] ?? 0n) + BigInt(page.readInt16LE(at) * stream.readInt16LE(at));
  }
  return {
    name: `page digest: ${name}`,
    op: "page_digest",
    input: { page: hex(page), key: hex(key) },
    expect: hex(twoWords(sums[0] ?? 0n, sums[1] ?? 0n)),
  };
}

/** So many digests, of which the n-th is n in all its bytes. */
function tree(count: number): VectorCase {
  const digests = Array.from({ length: count }, (_, place) => Buffer.alloc(8, place));
  let level: Buffer[] = [];
  for (let at = 0; at < count; at += 64) {
    level.push(sha256(Buffer.of(0), ...digests.slice(at, at + 64)));
  }
  while (level.length > 1) {
    const next: Buffer[] = [];
    for (let at = 0; at < level.length; at += 2) {
      const [left, right] = level.slice(at, at + 2);
      if (left !== undefined) {
        next.push(right === undefined ? left : sha256(Buffer.of(1), left, right));
      }
    }
    level = next;
  }
  const [root = Buffer.alloc(0)] = level;
  return {
    name: `root over ${count} digests`,
    op: "digest_tree",
    input: { count },
    expect: hex(root),
  };
}

function hex(bytes: Buffer): string {
  return bytes.toString("hex");
}
