import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { signMachO } from "../../../peer/build/sign-mach-o";

const LINKEDIT_START = 8_192;
const SIGNATURE_START = 12_304;

/** A Mach-O file with nothing in it but what a signature is about, and a stale signature at its end. */
function machO(staleBytes: number = 5_000): Uint8Array {
  const file = new Uint8Array(SIGNATURE_START + staleBytes).fill(0xab, 400);
  const view = new DataView(file.buffer);
  for (const [at, word] of [0xfeedfacf, 0x01000007, 3, 2, 3, 160, 0, 0].entries()) {
    view.setUint32(at * 4, word, true);
  }
  segment(32, "__TEXT", 0, LINKEDIT_START);
  segment(104, "__LINKEDIT", LINKEDIT_START, SIGNATURE_START + staleBytes - LINKEDIT_START);
  for (const [at, word] of [0x1d, 16, SIGNATURE_START, staleBytes].entries()) {
    view.setUint32(176 + at * 4, word, true);
  }
  return file;

  function segment(at: number, name: string, start: number, bytes: number): void {
    view.setUint32(at, 0x19, true);
    view.setUint32(at + 4, 72, true);
    file.set(new TextEncoder().encode(name), at + 8);
    view.setBigUint64(at + 40, BigInt(start), true);
    view.setBigUint64(at + 48, BigInt(bytes), true);
  }
}

it("signs every page of the code, load commands included, in a way that verifies", () => {
  const signed = signMachO(machO(), "troop");
  const view = new DataView(signed.buffer);
  const directory = SIGNATURE_START + view.getUint32(SIGNATURE_START + 16);
  const [magic, , , flags, hashes, identifier, special, pages, limit] = Array.from(
    { length: 9 },
    (_, place) => view.getUint32(directory + place * 4),
  );
  expect([magic, flags, special, pages, limit]).toEqual([
    0xfade0c02,
    0x20002,
    0,
    Math.ceil(SIGNATURE_START / 4_096),
    SIGNATURE_START,
  ]);
  expect(
    new TextDecoder().decode(signed.subarray(directory + (identifier ?? 0)).subarray(0, 6)),
  ).toBe("troop\0");
  for (let page = 0; page < (pages ?? 0); page++) {
    const code = signed.subarray(page * 4_096, Math.min((page + 1) * 4_096, SIGNATURE_START));
    const slot = directory + (hashes ?? 0) + page * 32;
    expect(createHash("sha256").update(code).digest("hex")).toBe(
      Buffer.from(signed.subarray(slot, slot + 32)).toString("hex"),
    );
  }
});

it("makes the file, the signature's command and its segment end at the same place", () => {
  const signed = signMachO(machO(), "troop");
  const view = new DataView(signed.buffer);
  expect(view.getUint32(176 + 12, true)).toBe(signed.length - SIGNATURE_START);
  expect(Number(view.getBigUint64(104 + 48, true))).toBe(signed.length - LINKEDIT_START);
  expect(Number(view.getBigUint64(104 + 32, true)) % 4_096).toBe(0);
});

it("gives the same file whatever signature was there, its own included", () => {
  const signed = signMachO(machO(16), "troop");
  expect(signMachO(machO(9_000), "troop")).toEqual(signed);
  expect(signMachO(signed, "troop")).toEqual(signed);
});

it("refuses what is no such file", () => {
  expect(() => signMachO(new Uint8Array(64), "troop")).toThrow("no 64-bit Mach-O");
});
