import { audit } from "./audit";
import { drain } from "./drain";
import { type KillPlan, killRuns } from "./kill-runs";
import { startKillableNetwork } from "./killable-network";

/** Kills the three programs by turns while requests flow; true where the ledger tells of each request just once. */
export async function kills(plan: KillPlan, say: (line: string) => void): Promise<boolean> {
  const network = await startKillableNetwork();
  try {
    const tally = await killRuns(network, plan, say);
    const { worker, client } = network.homes;
    await drain([
      { owner: "worker", home: worker },
      { owner: "client", home: client },
    ]);
    await network.stopPrograms();
    const reached = network.engine.journal.entries().filter(({ method }) => method === "POST");
    const hashesReached = new Set(reached.map((entry) => entry.bodySha256));
    const found = await audit({ dataDir: network.dataDir }, hashesReached);
    const { hashes, ...ends } = tally;
    const runOf = (hash: string): number => hashes.findIndex((run) => run.includes(hash)) + 1;
    say(JSON.stringify({ ...ends, ...found, lost: found.lost.length }));
    for (const hash of found.lost) say(`LOST: a request of run ${runOf(hash)}`);
    for (const key of found.misSettled) say(`NOT SETTLED ONCE: ${key}`);
    for (const offender of found.offenders) say(`THE LEDGER IS OFF: ${offender}`);
    const isGood = found.lost.length + found.misSettled.length + found.offenders.length === 0;
    return isGood && found.reachedEngine > 0;
  } finally {
    await network.remove();
  }
}
