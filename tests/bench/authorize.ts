import { startBenchCoordinator } from "./bench-coordinator";
import { makeLoad } from "./load/plan";
import type { Figure, Part } from "./part";
import type { Scope } from "./scope";
import { median, quantile } from "./stats";

const FAR_MS = 30;

export const authorize: Part = {
  name: "authorize",
  summary: `one POST /authorize after another, on embedded stores, near and ${FAR_MS} ms away`,
  run,
};

async function run(scope: Scope): Promise<Figure[]> {
  const near = await callsOn(scope, 0, 150);
  const far = await callsOn(scope, FAR_MS, 40);
  return [
    {
      name: "authorize, median",
      unit: "ms",
      measured: median(near),
      target: { atMost: 10 },
      note: `${near.length} calls, p99 ${quantile(near, 0.99).toFixed(1)} ms`,
    },
    {
      name: `authorize with ${FAR_MS} ms added to each store, median`,
      unit: "ms",
      measured: median(far),
      target: { atMost: 45 },
      note: `${far.length} calls, p99 ${quantile(far, 0.99).toFixed(1)} ms`,
    },
  ];
}

async function callsOn(scope: Scope, addLatencyMs: number, callsEach: number): Promise<number[]> {
  const coordinator = await startBenchCoordinator(scope, { addLatencyMs });
  const { callMs } = await makeLoad(scope, {
    kind: "authorize",
    coordinatorUrl: coordinator.url,
    peers: 8,
    callsEach,
    warmUpCallsEach: 20,
    isAtOnce: false,
  });
  return callMs;
}
