import { expect, it } from "vitest";
import { type AdapterFacts, labelOf, refusalOf } from "#peer/hardware/gpu/adapter";

const facts = (more: Partial<AdapterFacts>): AdapterFacts => ({
  vendor: "",
  architecture: "",
  device: "",
  description: "",
  isFallbackAdapter: false,
  ...more,
});

it.each([
  facts({ isFallbackAdapter: true, description: "NVIDIA GeForce RTX 4090" }),
  facts({ vendor: "mesa", device: "llvmpipe-llvm-15-0-6-256-bits-" }),
  facts({ description: "llvmpipe: Mesa 25.0.7 (LLVM 15.0.6)" }),
  facts({ vendor: "google", architecture: "swiftshader" }),
  facts({ device: "SwiftShader Device (Subzero)" }),
  facts({ description: "lavapipe" }),
  facts({ description: "Microsoft Basic Render Driver" }),
  facts({ description: "Null backend" }),
])("refuses a program that renders on the CPU: %j", (info) => {
  expect(refusalOf(info, false)).toBe("it is a program and no device");
  expect(refusalOf(info, true)).toBeUndefined();
});

it.each([
  facts({ vendor: "nvidia", architecture: "ada", description: "NVIDIA GeForce RTX 4090" }),
  facts({ vendor: "amd", architecture: "rdna-3", description: "AMD Radeon RX 7900 XTX (RADV)" }),
  facts({ vendor: "intel", description: "Intel(R) Arc(tm) A770 Graphics" }),
  facts({ vendor: "apple", architecture: "common-3", description: "Apple M2 Pro" }),
  facts({}),
])("uses a device: %j", (info) => {
  expect(refusalOf(info, false)).toBeUndefined();
});

it("is called by what it says most plainly", () => {
  expect(labelOf(facts({ vendor: "v", device: "d", description: "A GPU" }))).toBe("A GPU");
  expect(labelOf(facts({ vendor: "v", device: "d" }))).toBe("d");
  expect(labelOf(facts({}))).toBe("a GPU");
});
