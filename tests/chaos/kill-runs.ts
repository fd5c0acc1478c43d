import type { KillableNetwork } from "./killable-network";
import { between, oneOf, seeded } from "./random";
import { type Sent, sendRequest } from "./traffic";

export type KillPlan = {
  readonly runs: number;
  readonly seed: number;
  /** Requests that are on their way in each run. */
  readonly requestsEach: number;
};

export type KillTally = {
  /** By the run that they were sent in: SHA-256 of their bodies, lower-case hex. */
  readonly hashes: readonly (readonly string[])[];
  readonly killed: Readonly<Record<string, number>>;
  readonly answered: number;
  readonly failed: number;
  readonly left: number;
};

/** Later than any of a run's requests would have ended. */
const LATEST_KILL_MS = 350;
const SERVES_WITHIN_MS = 60_000;
const ASK_EVERY_MS = 25;

/** In each run one of the three is killed at a random moment while requests flow, and started again. */
export async function killRuns(
  network: KillableNetwork,
  { runs, seed, requestsEach }: KillPlan,
  say: (line: string) => void,
): Promise<KillTally> {
  const random = seeded(seed);
  const model = network.engine.models()[0]?.id ?? "";
  const hashes: string[][] = [];
  const killed: Record<string, number> = {};
  const ends = { answered: 0, failed: 0, left: 0 };
  await servesModel(network, model);

  for (let run = 1; run <= runs; run += 1) {
    const victim = oneOf(random, [network.coordinator, network.worker, network.client]);
    const killAfterMs = between(random, 0, LATEST_KILL_MS);
    const sent: Sent[] = [];
    for (let request = 0; request < requestsEach; request += 1) {
      sent.push(sendRequest(network.client.url(), model, random));
    }
    await Bun.sleep(killAfterMs);
    await victim.killAndRestart();
    for (const { ended } of sent) ends[await ended] += 1;
    hashes.push(sent.map(({ hash }) => hash));
    killed[victim.name] = (killed[victim.name] ?? 0) + 1;
    await servesModel(network, model);
    say(`run ${run} of ${runs}: ${victim.name} killed after ${killAfterMs} ms`);
  }
  return { hashes, killed, ...ends };
}

/** The next run begins with a network that is whole again. */
async function servesModel({ client }: KillableNetwork, model: string): Promise<void> {
  const untilMs = performance.now() + SERVES_WITHIN_MS;
  while (performance.now() < untilMs) {
    const answer = await fetch(`${client.url()}/v1/models/${encodeURIComponent(model)}`).catch(
      () => undefined, // It is not up yet.
    );
    await answer?.arrayBuffer();
    if (answer?.ok === true) return;
    await Bun.sleep(ASK_EVERY_MS);
  }
  throw new Error(`the client does not list ${model} again`);
}
