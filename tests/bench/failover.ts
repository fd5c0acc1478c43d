import { join } from "node:path";
import { loadIdentity } from "#peer/home/identity-file";
import { freePort } from "#support/free-port";
import { startTroop, type Troop } from "#support/network";
import { troopBinary } from "#support/troop-binary";
import { startBenchNetwork } from "./bench-network";
import { startEngine } from "./demo-engine";
import { makeLoad } from "./load/plan";
import type { Figure, Part } from "./part";
import type { Scope } from "./scope";
import { median } from "./stats";

const ROUNDS = 10;

export const failover: Part = {
  name: "failover",
  summary: "what a node that refuses the connection costs the request that goes there",
  run,
};

async function run(scope: Scope): Promise<Figure[]> {
  const engine = await startEngine(scope, { tokensPerSecond: 0, tokensPerAnswer: 1 });
  const network = await startBenchNetwork(scope, engine.url);
  const binary = await troopBinary();
  const home = join(network.worker.home, "..", "victim");
  const args = ["worker", "--policy", "always", "--engine", engine.url, "--concurrency", "4096"];
  args.push("--listen", `127.0.0.1:${await freePort()}`, "--coordinator", network.coordinator.url);
  const clientArgs = ["client", "--port", "0", "--no-local"];
  clientArgs.push("--coordinator", network.coordinator.url);
  const firstMs: number[] = [];
  const secondMs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const victim = await scope.hold(() => startTroop(binary, home, args), stop);
    // Its first ticket names both nodes; after a failure it would take one without the victim.
    const clientHome = join(home, "..", `client-${round}`);
    const client = await scope.hold(() => startTroop(binary, clientHome, clientArgs), stop);
    const { peerId: nodeId } = await loadIdentity(home);
    const seen = await makeLoad(scope, {
      kind: "failover",
      url: client.url,
      victim: { nodeId, pid: victim.process.pid },
      requests: 20,
    });
    firstMs.push(...seen.firstMs);
    secondMs.push(...seen.secondMs);
    await stop(client);
  }
  const isSeen = secondMs.length > 0;
  const note = isSeen
    ? `${secondMs.length} requests met the closed port: ${median(secondMs).toFixed(1)} ms at the median, ` +
      `${Math.max(...secondMs).toFixed(1)} ms at most; others ${median(firstMs).toFixed(1)} ms`
    : "no request met the closed port";
  return [
    {
      name: "time that a refused connection adds, median",
      unit: "ms",
      measured: isSeen ? median(secondMs) - median(firstMs) : null,
      target: { atMost: 60 },
      note,
    },
  ];
}

async function stop({ process }: Troop): Promise<void> {
  process.kill("SIGTERM");
  await process.exited;
}
