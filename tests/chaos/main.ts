// Takes programs away while requests flow, and audits the ledger afterwards: see --help.
import { parseFlags, USAGE } from "./flags";
import { kills } from "./kills";
import { storm } from "./storm";

process.exit(await main());

async function main(): Promise<number> {
  const asked = parseFlags(process.argv.slice(2), Date.now() % 1_000_000);
  if (asked.kind === "help") {
    process.stdout.write(USAGE);
    return 0;
  }
  if (asked.kind === "refused") {
    process.stderr.write(`${asked.why}.\n${USAGE}`);
    return 2;
  }
  const { plan } = asked;
  const parts = { kills: runKills, storm: runStorm };
  let isGood = true;
  for (const name of plan.parts) isGood = (await parts[name]()) && isGood;
  return isGood ? 0 : 1;

  function runKills(): Promise<boolean> {
    const { runs, requestsEach, seed } = plan.kills;
    say(`kills: ${runs} runs with ${requestsEach} requests each; --seed ${seed}`);
    return kills(plan.kills, say);
  }
  function runStorm(): Promise<boolean> {
    const { atOnce, seconds, seed } = plan.storm;
    say(`storm: ${atOnce} apps for ${seconds} seconds; --seed ${seed}`);
    return storm(plan.storm, say);
  }
}

function say(line: string): void {
  console.log(line);
}
