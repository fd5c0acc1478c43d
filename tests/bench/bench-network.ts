import { startNetwork, type TestNetwork } from "#support/network";
import type { Scope } from "./scope";

/** A coordinator, a worker with room for all requests, and a client with credits for them. */
export function startBenchNetwork(scope: Scope, engineUrl: string): Promise<TestNetwork> {
  return scope.hold(
    () =>
      startNetwork({
        engineUrl,
        settings: { STARTER_CREDITS: "1000000" },
        workerArgs: ["--concurrency", "4096"],
      }),
    (network) => network.stop(),
  );
}
