/**
 * Devices that people know, by version 1 of the constants: memory by vendors' figures, operations by an estimate of what a
 * program such as this reaches. None was measured by this project. docs/hardware.md has the same table.
 */
export const REFERENCE_DEVICES: readonly {
  readonly name: string;
  /** Operations and bytes a second. */
  readonly computeOps: number;
  readonly memoryBytes: number;
  readonly multiplier: number;
}[] = [
  { name: "H100", computeOps: 28e12, memoryBytes: 3_350e9, multiplier: 5.4 },
  { name: "RTX 4090", computeOps: 31e12, memoryBytes: 1_008e9, multiplier: 4 },
  { name: "RTX 3090", computeOps: 14e12, memoryBytes: 936e9, multiplier: 3.5 },
  { name: "RTX 3060", computeOps: 5.5e12, memoryBytes: 360e9, multiplier: 2.4 },
  { name: "8-core desktop CPU", computeOps: 0.4e12, memoryBytes: 50e9, multiplier: 1 },
];
