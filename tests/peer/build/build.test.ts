import { join } from "node:path";
import { expect, it } from "vitest";

it("refuses a flag that is none, and shows those that are, without a stack", () => {
  const program = join(import.meta.dirname, "../../../peer/build.ts");
  const ran = Bun.spawnSync([process.execPath, program, "--everything"], { stdin: "ignore" });
  expect(ran.exitCode).toBe(2);
  expect(ran.stdout.toString()).toBe("");
  expect(ran.stderr.toString()).toMatch(/^Unknown option '--everything'[^]*\nUsage: npm run build/);
  expect(ran.stderr.toString()).not.toMatch(/\bat .*:\d+:\d+/);
});
