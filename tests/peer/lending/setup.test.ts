import { expect, it } from "vitest";
import { NOTHING_SEEN, observe } from "#peer/lending/activity";
import { lendingSetup } from "#peer/lending/setup";
import { platformNamed } from "#peer/platform/platform";

it("does not hold back from its own proof of the GPU, which is this program and holds its memory", () => {
  const { policy } = lendingSetup(
    { ignore_processes: ["plex"] },
    { platform: platformNamed("linux"), env: {}, homeDir: "/nonexistent" },
  );
  const used = (name: string) =>
    observe(
      NOTHING_SEEN,
      {
        signal: "gpu",
        value: {
          gpus: [{ name: "GPU", loadPercent: 99 }],
          processes: [{ pid: 1, name, vramMib: 4_000 }],
        },
      },
      { policy, isOursBusy: true, nowMs: 0 },
    ).gpuUse?.by;
  expect(used(process.execPath)).toBeUndefined();
  expect(used("/usr/bin/plex")).toBeUndefined();
  expect(used("/usr/games/game")).toBe("game holds the GPU's memory");
});
