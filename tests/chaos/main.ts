// Kills coordinator, worker and client at random moments while requests flow, and audits the ledger afterwards.
// usage: npm run test:chaos [-- --runs 200] [--seed N] [--requests 6]
import { parseArgs } from "node:util";
import { audit } from "./audit";
import { drain } from "./drain";
import { killRuns } from "./kill-runs";
import { startKillableNetwork } from "./killable-network";

process.exit(await main());

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      runs: { type: "string", default: "20" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      requests: { type: "string", default: "6" },
    },
  });
  const plan = {
    runs: Number(values.runs),
    seed: Number(values.seed),
    requestsEach: Number(values.requests),
  };
  console.log(`${plan.runs} runs with ${plan.requestsEach} requests each; --seed ${plan.seed}`);
  const network = await startKillableNetwork();
  try {
    const tally = await killRuns(network, plan, (line) => console.log(line));
    await drain(network);
    await network.stopPrograms();
    const reached = network.engine.journal.entries().filter(({ method }) => method === "POST");
    const found = await audit(network.dataDir, new Set(reached.map((entry) => entry.bodySha256)));
    const { hashes, ...ends } = tally;
    const runOf = (hash: string): number => hashes.findIndex((run) => run.includes(hash)) + 1;
    console.log(JSON.stringify({ ...ends, ...found, lost: found.lost.length }));
    for (const hash of found.lost) console.log(`LOST: a request of run ${runOf(hash)}`);
    for (const key of found.misSettled) console.log(`NOT SETTLED ONCE: ${key}`);
    for (const offender of found.offenders) console.log(`THE LEDGER IS OFF: ${offender}`);
    const isGood = found.lost.length + found.misSettled.length + found.offenders.length === 0;
    return isGood && found.reachedEngine > 0 ? 0 : 1;
  } finally {
    await network.remove();
  }
}
