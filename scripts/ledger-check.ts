// Audits the ledger: npm run ledger:check [-- --data .troop | --url https://… | --database-url postgres://…]
// Ends with 0 where all is as it must be, 1 where something is not (the first is shown), 2 where it could not look.
import { z } from "zod";
import { counted } from "#protocol/counted";
import { formatCredits } from "#protocol/microcredits";
import { LEDGER_CHECK_PATH, LedgerCheck } from "#protocol/ledger-check";
import { openPostgresBackend } from "#self-host/backend-postgres";
import { readFlags } from "#self-host/flags";
import { toldOf } from "#self-host/self-host-error";
import { askCoordinator, type Where } from "./ask-coordinator";

/** Milliseconds that an audit of a large ledger may take. */
const LIMIT_MS = 600_000;

const FLAGS = {
  data: { type: "string", default: ".troop" },
  url: { type: "string" },
  "database-url": { type: "string" },
} as const;

async function main(): Promise<number> {
  const { data, url, ...flags } = readFlags(process.argv.slice(2), FLAGS, "docs/operators.md");
  // A coordinator that is named on the line is the one that is meant, whatever the environment has.
  const databaseUrl =
    flags["database-url"] ?? (url === undefined ? process.env["DATABASE_URL"] : undefined);
  const report =
    databaseUrl === undefined
      ? await throughCoordinator({ data, url })
      : await straight(databaseUrl);
  process.stdout.write(describe(report));
  return report.offender_count === 0 ? 0 : 1;
}

async function throughCoordinator(where: Where): Promise<LedgerCheck> {
  return LedgerCheck.parse(await askCoordinator(where, LEDGER_CHECK_PATH, { limitMs: LIMIT_MS }));
}

async function straight(databaseUrl: string): Promise<LedgerCheck> {
  const options = { databaseUrl, poolSize: 1, statementTimeoutMs: LIMIT_MS };
  const backend = await openPostgresBackend(options);
  try {
    const { rows } = await backend.query({ text: "select check_ledger(100)", params: [] });
    return LedgerCheck.parse(JSON.parse(z.string().parse(rows[0]?.[0])));
  } finally {
    await backend.close();
  }
}

function describe({ counts, offender_count, offenders, history }: LedgerCheck): string {
  const checked = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  const summary = `Checked ${checked.join(", ").replaceAll("_", " ")}.\n`;
  const [first] = offenders;
  if (first === undefined) return `${summary}Every law of the ledger holds.\n`;
  const lines = history.map(({ transfer, at, type, lease, entries }) => {
    const legs = entries.map(
      ({ account, user, kind, amount }) =>
        `      ${formatCredits(amount)} on account ${account} (${user ?? "the network"}, ${kind})\n`,
    );
    return `    transfer ${transfer}, ${at}, ${type}${lease === null ? "" : `, lease ${lease}`}\n${legs.join("")}`;
  });
  return `${summary}${offender_count} of them break a law. The first:
  ${first.kind} ${first.id}, ${first.at}
  expected ${counted(formatCredits(first.expected), "credit")}, found ${formatCredits(first.found)}
  Its latest transfers:
${lines.join("")}`;
}

try {
  process.exit(await main());
} catch (error) {
  // Of a database's error the name and the server's words, never the URL, which holds a password.
  process.stderr.write(toldOf(error));
  process.exit(2);
}
