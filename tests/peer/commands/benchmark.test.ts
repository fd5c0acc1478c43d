import { expect, it, onTestFinished } from "vitest";
import { EXIT } from "#peer/cli/error";
import { controlAddress } from "#peer/control/address";
import { listenForControl } from "#peer/control/listen";
import type { WorkerStatus } from "#peer/control/messages";
import { platformNamed } from "#peer/platform/platform";
import { type Challenge, HARDWARE_VERSION } from "#protocol/hardware";
import { problem } from "../coordinator/fake-coordinator";
import { setUp } from "./troop-under-test";

const CHALLENGE: Challenge = {
  id: "6ba7b810-9dad-41d1-80b4-00c04fd430c8",
  version: HARDWARE_VERSION,
  nonce: "A".repeat(43),
  seed: "A".repeat(43),
  min_ms: 3_000,
  max_rows: 2 ** 26,
  expires_in_seconds: 60,
};

it("says when another try is worth it after a proof that failed, with exit 4", async () => {
  const detail = "Try again in 54 minutes.";
  const { run } = await setUp({
    "POST /hardware/challenge": () =>
      problem("hardware_cooldown", { detail }, { "retry-after": "3240" }),
  });
  const { err, exit } = await run("benchmark");
  expect(exit).toBe(EXIT.coordinatorRefused);
  expect(err).toContain(detail);
});

it("asks for the newest troop where the coordinator wants a proof that this one does not know", async () => {
  const { coordinator, run } = await setUp({
    "POST /hardware/challenge": () =>
      Response.json({ ...CHALLENGE, version: HARDWARE_VERSION + 1 }),
  });
  const { err, exit } = await run("benchmark");
  expect(exit).toBe(EXIT.failed);
  expect(err).toContain("Install the newest version of troop.");
  expect(coordinator.seen.map(({ target }) => target)).not.toContain("/hardware/commit");
});

it("leaves the machine to whoever its worker serves now", async () => {
  const { coordinator, dir, run } = await setUp();
  const busy: WorkerStatus = {
    state: "lending",
    why: "always",
    policy: "always",
    running: 1,
    waiting: 0,
    concurrency: 4,
    models: [],
    gpus: [],
    signals: [],
  };
  const platform = platformNamed(process.platform);
  const controls = await listenForControl(controlAddress(dir, platform), async () => ({
    ok: true,
    status: busy,
  }));
  onTestFinished(() => controls.close());
  const { err, exit } = await run("benchmark");
  expect(exit).toBe(EXIT.failed);
  expect(err).toContain("troop pause");
  expect(coordinator.seen).toEqual([]);
});

it.each([
  [
    { verified: true, multiplier: 2.35, basis: "proof", until: "2030-01-02T00:00:00.000Z" },
    "2.35 credits a second as a worker, proven until 2030-01-02T00:00:00.000Z",
  ],
  [
    { verified: false, multiplier: 1, basis: "unproven" },
    "1 credit a second as a worker, not proven; troop benchmark proves it",
  ],
  [
    { verified: false, multiplier: 0.25, basis: "cooldown", until: "2030-01-02T00:00:00.000Z" },
    "0.25 credits a second as a worker until 2030-01-02T00:00:00.000Z: a proof of it failed",
  ],
])("troop status shows what a second is worth: %j", async (standing, line) => {
  const { run } = await setUp({
    "GET /health": () => Response.json({ status: "ok" }),
    "GET /hardware": () => Response.json({ version: 1, ...standing }),
  });
  await run("models"); // It fails, but registers.
  expect((await run("status")).out).toContain(`hardware     ${line}\n`);
  expect(JSON.parse((await run("status", "--json")).out)).toMatchObject({ hardware: standing });
});
