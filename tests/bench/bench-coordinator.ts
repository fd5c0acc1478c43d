import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningCoordinator, startCoordinator } from "#self-host/coordinator";
import type { Scope } from "./scope";

/** A coordinator with a folder of its own, on stores as a part wants them; embedded ones where it says nothing. */
export async function startBenchCoordinator(
  scope: Scope,
  stores: { readonly addLatencyMs?: number; readonly databaseUrl?: string } = {},
): Promise<RunningCoordinator> {
  const dataDir = await scope.hold(
    () => mkdtemp(join(tmpdir(), "troop-bench-")),
    (folder) => rm(folder, { recursive: true, force: true }),
  );
  return scope.hold(
    () =>
      startCoordinator({
        dataDir,
        host: "127.0.0.1",
        port: 0,
        settings: {
          ALLOWED_RANGES: "127.0.0.0/8",
          REGISTRATIONS_PER_HOUR: "10000",
          STARTER_CREDITS: "1000000",
        },
        ...stores,
      }),
    (coordinator) => coordinator.stop(),
  );
}
