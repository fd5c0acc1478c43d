import { parseArgs } from "node:util";
import type { KillPlan } from "./kill-runs";
import type { StormPlan } from "./storm";

export const USAGE = `Takes programs away while requests flow, and audits the ledger afterwards.

  npm run test:chaos [-- kills | storm] [--seed N] [--runs N] [--requests N] [--seconds N] [--apps N]

  kills          coordinator, worker or client is killed at a random moment, run after run
    --runs N       runs (default 20)
    --requests N   requests in each (default 6)
  storm          three nodes, the coordinator and the stores by turns, under many apps at once
    --seconds N    how long (default 40)
    --apps N       apps that ask without a pause (default 40)
  --seed N       plays the same faults again; each run says its own
`;

export type Part = "kills" | "storm";
export type ChaosPlan = {
  readonly parts: readonly Part[];
  readonly kills: KillPlan;
  readonly storm: StormPlan;
};

/** `refused`: what is wrong, for people. */
export type Asked =
  | { readonly kind: "help" }
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "run"; readonly plan: ChaosPlan };

const PARTS: readonly Part[] = ["kills", "storm"];
const number = (usual: number) => ({ type: "string", default: String(usual) }) as const;

/** `seed`: where none is asked for. */
export function parseFlags(args: string[], seed: number): Asked {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        runs: number(20),
        seed: number(seed),
        requests: number(6),
        seconds: number(40),
        apps: number(40),
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) return { kind: "help" };
    const { help: _, ...texts } = values;
    for (const [name, text] of Object.entries(texts)) {
      if (!/^\d{1,9}$/.test(text)) return refused(`--${name} must be a whole number, not ${text}`);
    }
    const unknown = positionals.find((name) => !PARTS.some((part) => part === name));
    if (unknown !== undefined) return refused(`There is no part ${unknown}`);
    const parts = PARTS.filter((part) => positionals.length === 0 || positionals.includes(part));
    const [runs, requestsEach] = [Number(values.runs), Number(values.requests)];
    const [seconds, atOnce] = [Number(values.seconds), Number(values.apps)];
    const seeded = { seed: Number(values.seed) };
    const kills = { runs, requestsEach, ...seeded };
    return { kind: "run", plan: { parts, kills, storm: { seconds, atOnce, ...seeded } } };
  } catch (error) {
    return refused(error instanceof Error ? error.message : "A flag is wrong");
  }
}

function refused(why: string): Asked {
  return { kind: "refused", why };
}
