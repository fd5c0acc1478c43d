import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { rateOf } from "#coordinator/domain/hardware-score";
import { barChart } from "#peer/hardware/bar-chart";
import { REFERENCE_DEVICES } from "#peer/hardware/reference-devices";

it("has the multipliers that the coordinator's constants give", () => {
  for (const { computeOps, memoryBytes, multiplier } of REFERENCE_DEVICES) {
    expect(rateOf(computeOps, memoryBytes)).toBe(multiplier * 1_000_000);
  }
});

it("is the table of docs/hardware.md", async () => {
  const docs = await readFile(new URL("../../../docs/hardware.md", import.meta.url), "utf8");
  for (const { name, computeOps, memoryBytes, multiplier } of REFERENCE_DEVICES) {
    const [ops, bytes] = [`${computeOps / 1e12}e12`, `${memoryBytes / 1e9}e9`];
    expect(docs).toContain(`| ${name} | ${ops} | ${bytes} | ${multiplier} |\n`);
  }
});

it("draws bars as long as what they stand for, to an eighth of a cell", () => {
  const drawn = barChart([
    { name: "whole", value: 4 },
    { name: "half", value: 2 },
    { name: "an eighth of a cell", value: 4 / 256 },
    { name: "nothing", value: 0 },
  ]);
  expect(drawn).toBe(`  whole                 4.00x  ${"█".repeat(32)}
  half                  2.00x  ${"█".repeat(16)}
  an eighth of a cell   0.02x  ▏
  nothing               0.00x
`);
  expect(barChart([{ name: "all nothing", value: 0 }])).toBe("  all nothing   0.00x\n");
});
