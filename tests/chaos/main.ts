// Takes programs away while requests flow, and audits the ledger afterwards.
// usage: npm run test:chaos [-- kills | storm] [--seed N] [--runs 20] [--requests 6] [--seconds 40] [--apps 40]
//   kills  coordinator, worker or client is killed at a random moment, run after run (--runs, --requests)
//   storm  three nodes, the coordinator and the stores by turns, under many apps at once (--seconds, --apps)
import { parseArgs } from "node:util";
import { kills } from "./kills";
import { storm } from "./storm";

process.exit(await main());

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: "string", default: "20" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      requests: { type: "string", default: "6" },
      seconds: { type: "string", default: "40" },
      apps: { type: "string", default: "40" },
    },
  });
  const seed = Number(values.seed);
  const parts = { kills: runKills, storm: runStorm };
  const names = positionals.length === 0 ? Object.keys(parts) : positionals;
  for (const name of names) {
    if (!Object.hasOwn(parts, name)) {
      console.error(`There is no part ${name}; there are ${Object.keys(parts).join(" and ")}.`);
      return 2;
    }
  }
  let isGood = true;
  for (const name of names) isGood = (await parts[name as keyof typeof parts]()) && isGood;
  return isGood ? 0 : 1;

  function runKills(): Promise<boolean> {
    const plan = { runs: Number(values.runs), seed, requestsEach: Number(values.requests) };
    say(`kills: ${plan.runs} runs with ${plan.requestsEach} requests each; --seed ${seed}`);
    return kills(plan, say);
  }
  function runStorm(): Promise<boolean> {
    const plan = { seconds: Number(values.seconds), seed, atOnce: Number(values.apps) };
    say(`storm: ${plan.atOnce} apps for ${plan.seconds} seconds; --seed ${seed}`);
    return storm(plan, say);
  }
}

function say(line: string): void {
  console.log(line);
}
