import { audit } from "./audit";
import { drain } from "./drain";
import { seeded } from "./random";
import { askOnce, type Ended, type Ending } from "./storm-app";
import { raiseStorm } from "./storm-faults";
import { startStormNetwork, type StormNetwork } from "./storm-network";

export type StormPlan = {
  readonly seconds: number;
  readonly seed: number;
  /** Apps that ask without a pause. */
  readonly atOnce: number;
};

const MUST_NOT_BE: ReadonlySet<Ending> = new Set(["refused", "silent", "hung"]);
const MOST_SHOWN = 20;

/** Many apps ask while nodes, coordinator and stores are taken away; true where all went as it must. */
export async function storm(plan: StormPlan, say: (line: string) => void): Promise<boolean> {
  const network = await startStormNetwork(plan.atOnce);
  try {
    const ended = await underTraffic(network, plan, say);
    await drain(network.outboxes);
    await network.stopPrograms();
    const reached = network.nodes.flatMap(({ engine }) => engine.journal.entries());
    const hashes = reached.filter(({ method }) => method === "POST").map((one) => one.bodySha256);
    const where = { databaseUrl: network.postgres.url, redisUrl: network.redis.url };
    const found = await audit(where, new Set(hashes));

    const bad = ended.filter(({ ending }) => MUST_NOT_BE.has(ending));
    const silenceMs = Math.max(...ended.map(({ longestSilenceMs }) => longestSilenceMs));
    say(
      JSON.stringify({
        requests: ended.length,
        ...counts(ended),
        longestSilenceS: Number((silenceMs / 1_000).toFixed(1)),
        ...found,
        lost: found.lost.length,
      }),
    );
    for (const { ending, saw } of bad.slice(0, MOST_SHOWN)) say(`${ending.toUpperCase()}: ${saw}`);
    for (const hash of found.lost) say(`LOST: the request ${hash}`);
    for (const key of found.misSettled) say(`NOT SETTLED ONCE: ${key}`);
    for (const offender of found.offenders) say(`THE LEDGER IS OFF: ${offender}`);
    const isClean = found.lost.length + found.misSettled.length + found.offenders.length === 0;
    return isClean && bad.length === 0 && ended.some(({ ending }) => ending === "whole");
  } finally {
    await network.remove();
  }
}

async function underTraffic(
  network: StormNetwork,
  { seconds, seed, atOnce }: StormPlan,
  say: (line: string) => void,
): Promise<Ended[]> {
  const model = network.nodes[0]?.engine.models()[0]?.id ?? "";
  const over = new AbortController();
  const ended: Ended[] = [];
  async function app(name: number): Promise<void> {
    const random = seeded(seed + name + 1);
    while (!over.signal.aborted) ended.push(await askOnce(network.client.url(), model, random));
  }
  // The first one brings a ticket.
  ended.push(await askOnce(network.client.url(), model, seeded(seed)));
  const apps = Array.from({ length: atOnce }, (_, name) => app(name));
  await raiseStorm(network, seeded(seed), seconds * 1_000, say);
  over.abort();
  await Promise.all(apps);
  return ended;
}

function counts(ended: readonly Ended[]): Partial<Record<Ending, number>> {
  const count: Partial<Record<Ending, number>> = {};
  for (const { ending } of ended) count[ending] = (count[ending] ?? 0) + 1;
  return count;
}
