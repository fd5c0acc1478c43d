import { expect, it, onTestFinished } from "vitest";
import { EXIT } from "#peer/cli/error";
import { controlAddress } from "#peer/control/address";
import { listenForControl } from "#peer/control/listen";
import type { WorkerStatus } from "#peer/control/messages";
import { platformNamed } from "#peer/platform/platform";
import { type Challenge, HARDWARE_VERSION } from "#protocol/hardware";
import { problem } from "../coordinator/fake-coordinator";
import { setUp } from "./troop-under-test";
import { LENDING } from "../control/lending-status";

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

const PLAYING = { state: "paused", reason: "gpu_in_use", why: "game.exe uses the GPU" } as const;

/** Next to a worker of the same home that says this of itself. */
async function besideWorker(status: WorkerStatus) {
  const { coordinator, dir, run } = await setUp();
  const address = controlAddress(dir, platformNamed(process.platform));
  const controls = await listenForControl(address, async () => ({ ok: true, status }));
  onTestFinished(() => controls.close());
  const { err, exit } = await run("benchmark");
  return { err, exit, asked: coordinator.seen.map(({ target }) => target) };
}

it.each<[Partial<WorkerStatus>, string]>([
  [{ running: 1 }, "serves a request now"],
  [PLAYING, "game.exe uses the GPU"],
])("leaves the machine to whoever needs it now: %o", async (status, why) => {
  const { asked, err, exit } = await besideWorker({ ...LENDING, ...status });
  expect(exit).toBe(EXIT.failed);
  expect(err).toContain(why);
  expect(err).toContain("troop pause, and then: troop benchmark");
  expect(asked).toEqual([]);
});

it("runs beside a worker that its owner paused", async () => {
  const paused = { state: "paused", reason: "paused", why: "you paused it" } as const;
  const { asked } = await besideWorker({ ...LENDING, ...paused });
  expect(asked).not.toEqual([]);
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
