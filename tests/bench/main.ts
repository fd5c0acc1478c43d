// Measures what the network costs. usage: npm run bench [-- NAME…] [--json FILE]
import { parseArgs } from "node:util";
import { authorize } from "./authorize";
import { e2e } from "./e2e";
import { failover } from "./failover";
import { hops } from "./hops";
import { ledger } from "./ledger";
import { describeMachine } from "./machine";
import { many } from "./many";
import { pace } from "./pace";
import { type Part, ratioOf, verdictOf } from "./part";
import { type Measured, renderMachine, renderTable, renderVerdict } from "./report";
import { poh } from "./poh";
import { openScope, type Scope } from "./scope";
import { start } from "./start";
import { streams } from "./streams";

const PARTS: readonly Part[] = [
  hops,
  pace,
  streams,
  many,
  failover,
  start,
  authorize,
  ledger,
  e2e,
  poh,
];
const USAGE = `Usage: npm run bench -- [NAME…] [--json FILE]

${PARTS.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}\n`).join("")}
Without a name all of them run, one after another. A missed target is said plainly; it is no failure of the command.
`;
const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

let scope: Scope | undefined;
for (const [signal, exitCode] of Object.entries(SIGNAL_EXIT)) {
  process.once(signal, () => {
    process.once(signal, () => process.exit(exitCode)); // A second one does not wait.
    say("Stopping …");
    void (scope?.end() ?? Promise.resolve()).finally(() => process.exit(exitCode));
  });
}
process.exit(await main());

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { json: { type: "string" }, help: { type: "boolean", short: "h" } },
    allowPositionals: true,
  });
  const unknown = positionals.filter((name) => PARTS.every((part) => part.name !== name));
  if (values.help === true || unknown.length > 0) {
    if (unknown.length > 0) say(`There is no part ${unknown.join(", ")}.`);
    process.stdout.write(USAGE);
    return unknown.length > 0 ? 2 : 0;
  }
  const chosen = PARTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const machine = describeMachine();
  const measured: Measured[] = [];
  const broken: string[] = [];
  for (const part of chosen) {
    say(`${part.name}: ${part.summary} …`);
    const figures = await measure(part);
    if (figures === undefined) broken.push(part.name);
    else measured.push({ part: part.name, figures });
  }
  process.stdout.write(
    `${renderMachine(machine)}\n${renderTable(measured)}\n${renderVerdict(measured)}`,
  );
  for (const name of broken) process.stdout.write(`NOT MEASURED: ${name}; see the error above.\n`);
  if (values.json !== undefined) {
    const at = new Date().toISOString();
    const json = { schema: "troop.bench/1", at, machine, broken, parts: measured.map(judged) };
    await Bun.write(values.json, `${JSON.stringify(json, null, 2)}\n`);
  }
  return broken.length === 0 ? 0 : 1;
}

async function measure(part: Part) {
  scope = openScope(say);
  try {
    return await part.run(scope);
  } catch (error) {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return undefined;
  } finally {
    await scope.end();
  }
}

function judged({ part, figures }: Measured): object {
  return {
    part,
    figures: figures.map((figure) => ({
      ...figure,
      ratio: ratioOf(figure),
      result: verdictOf(figure),
    })),
  };
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
