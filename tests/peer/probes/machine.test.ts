import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { thisMachine } from "#peer/probes/machine";
import { temporaryFolder } from "../home/temporary-folder";

const machine = thisMachine({ PATH: process.env["PATH"], LANG: "de_DE.UTF-8" });

it("gives what a tool prints, in the words that parsers know", async () => {
  expect(await machine.run(["sh", "-c", "echo $LC_ALL $LANG"], 5_000)).toEqual({
    ok: true,
    value: "C C\n",
  });
});

it.each(["exec sleep 60", "sleep 5 & exit 0"])(
  "does not wait for a tool that hangs, nor for what it started: %s",
  async (script) => {
    expect(await machine.run(["sh", "-c", script], 50)).toEqual({ ok: false, reason: "timeout" });
  },
);

it.each([
  ["exit 9", "failed"],
  ["echo 'Failed to read: Permission denied' >&2; exit 1", "denied"],
  ["echo 'No devices were found'; exit 6", "none"],
  [
    'echo "NVIDIA-SMI has failed because it couldn\'t communicate with the NVIDIA driver."; exit 9',
    "none",
  ],
])("says why a tool knows nothing: %s", async (script, reason) => {
  expect(await machine.run(["sh", "-c", script], 5_000)).toEqual({ ok: false, reason });
});

it("says so of tools and files that are not there, or not for us", async () => {
  const folder = await temporaryFolder();
  const path = join(folder, "tool");
  await Bun.write(path, "#!/bin/sh\n");
  await chmod(path, 0o600);
  expect(await machine.run([path], 5_000)).toEqual({ ok: false, reason: "denied" });
  expect(await machine.run(["no-such-tool-anywhere"], 5_000)).toMatchObject({ reason: "absent" });
  expect(await machine.read(join(folder, "none"))).toEqual({ ok: false, reason: "absent" });
  expect(await machine.read(folder)).toMatchObject({ ok: false, reason: "failed" });
  expect(await machine.read(path)).toEqual({ ok: true, value: "#!/bin/sh\n" });
  expect(await machine.list(join(folder, "none"))).toEqual([]);
  expect(await machine.list(folder)).toEqual(["tool"]);
});

it("follows what a tool prints line by line, until it is stopped", async () => {
  const lines: string[] = [];
  const ended = Promise.withResolvers<void>();
  const script = "printf 'one\\ntw'; printf 'o\\n'; cat; echo end";
  const tool = machine.follow(["sh", "-c", script], (line) => {
    lines.push(line);
    if (line === "two") tool.stop();
    if (line === "end") ended.resolve();
  });
  await ended.promise;
  expect(lines).toEqual(["one", "two", "end"]);
  machine.follow(["no-such-tool-anywhere"], () => expect.unreachable()).stop();
});

it("counts the time of the processors", () => {
  const { idleMs, busyMs } = machine.cpuTimes();
  expect(idleMs + busyMs).toBeGreaterThan(0);
});
