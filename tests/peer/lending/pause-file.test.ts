import { join } from "node:path";
import { expect, it } from "vitest";
import { FOR_GOOD } from "#peer/lending/decide";
import { pauseFile } from "#peer/lending/pause-file";
import { temporaryFolder } from "../home/temporary-folder";

it("keeps a pause with its end, or without one, until it is taken back", async () => {
  const dir = await temporaryFolder();
  const pauses = pauseFile(dir);
  expect(await pauses.read()).toBeUndefined();
  for (const untilMs of [1_893_456_000_000, FOR_GOOD]) {
    await pauses.write(untilMs);
    expect(await pauseFile(dir).read()).toBe(untilMs);
  }
  await pauses.write(undefined);
  await pauses.write(undefined);
  expect(await pauses.read()).toBeUndefined();
});

it("takes a damaged file for a pause: its owner had taken the machine back", async () => {
  const dir = await temporaryFolder();
  await Bun.write(join(dir, "pause.json"), "{");
  expect(await pauseFile(dir).read()).toBe(FOR_GOOD);
});
