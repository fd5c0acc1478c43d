import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTroop, type Troop } from "#support/network";
import { troopBinary } from "#support/troop-binary";
import { startBenchCoordinator } from "./bench-coordinator";
import { residentMib } from "./memory";
import type { Figure, Part } from "./part";
import type { Scope } from "./scope";
import { median, quantile } from "./stats";

const STARTS = 11;
const IDLE_MS = 5_000;

export const start: Part = {
  name: "start",
  summary: "how soon the compiled client listens, and what it needs while it does nothing",
  run,
};

async function run(scope: Scope): Promise<Figure[]> {
  const binary = await troopBinary();
  const coordinator = await startBenchCoordinator(scope);
  const home = await scope.hold(
    () => mkdtemp(join(tmpdir(), "troop-bench-")),
    (folder) => rm(folder, { recursive: true, force: true }),
  );
  const args = ["client", "--port", "0", "--no-local", "--coordinator", coordinator.url];

  /** Milliseconds from the start of the process to its first answer. */
  async function timedStart(homeName: string): Promise<{ troop: Troop; ms: number }> {
    const startMs = performance.now();
    const troop = await scope.hold(() => startTroop(binary, join(home, homeName), args), stop);
    const answer = await fetch(`${troop.url}/health`);
    if (!answer.ok) throw new Error(`the client's health was answered with ${answer.status}`);
    return { troop, ms: performance.now() - startMs };
  }

  const firstMs: number[] = [];
  const againMs: number[] = [];
  let idle: Troop | undefined;
  for (let turn = 0; turn <= STARTS; turn += 1) {
    if (idle !== undefined) await stop(idle);
    const fresh = await timedStart(`fresh-${turn}`);
    await stop(fresh.troop);
    const again = await timedStart("kept");
    idle = again.troop;
    // The first of all reads the executable from the disk.
    if (turn > 0) {
      firstMs.push(fresh.ms);
      againMs.push(again.ms);
    }
  }
  await Bun.sleep(IDLE_MS);
  const idleMib = idle === undefined ? null : await residentMib(idle.process.pid, "VmRSS");
  return [
    {
      name: "client answers after, median",
      unit: "ms",
      measured: median(againMs),
      target: { atMost: 300 },
      note: `${STARTS} starts, ${quantile(againMs, 0).toFixed(0)} to ${quantile(againMs, 1).toFixed(0)} ms`,
    },
    { name: "… in a home that it has to make", unit: "ms", measured: median(firstMs) },
    {
      name: `client's memory after ${IDLE_MS / 1_000} idle seconds, resident`,
      unit: "MiB",
      measured: idleMib,
      target: { atMost: 90 },
      ...(idleMib === null && { note: "no /proc on this system" }),
    },
  ];
}

async function stop({ process }: Troop): Promise<void> {
  process.kill("SIGTERM");
  await process.exited;
}
