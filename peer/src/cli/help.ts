import type { CommandRow, FlagSpecs } from "../command";
import { columns } from "./columns";
import { GLOBAL_FLAGS } from "./global-flags";

export function overviewHelp(rows: readonly CommandRow[]): string {
  return `Lend idle GPUs for LLM inference, and use other people's.

Usage: troop <command> [flags]

Commands:
${commandRows(rows)}
Flags of every command:
${columns(flagRows(GLOBAL_FLAGS))}
Exit numbers: 0 done, 1 failed, 2 wrong usage, 3 coordinator not reachable, 4 coordinator refused

More on a command: troop <command> --help
`;
}

/** Of the commands that begin with the same word. */
export function groupHelp(word: string, rows: readonly CommandRow[]): string {
  const group = rows.filter(({ name }) => name.startsWith(`${word} `));
  return `Usage: troop ${word} <command> [flags]

Commands:
${commandRows(group)}
More on a command: troop ${word} <command> --help
`;
}

export function commandHelp(row: CommandRow, flags: FlagSpecs): string {
  const aliases = row.aliases.length === 0 ? "" : ` (also: troop ${row.aliases.join(", troop ")})`;
  const positional = Object.values(flags).find((spec) => spec.positional === true);
  const argument = positional === undefined ? "" : ` ${positional.value}`;
  const own = Object.keys(flags).length === 0 ? "" : `Flags:\n${columns(flagRows(flags))}\n`;
  return `${row.summary}.

Usage: troop ${row.name}${argument} [flags]${aliases}

${own}Flags of every command:
${columns(flagRows(GLOBAL_FLAGS))}
Examples:
${row.examples.map((example) => `  ${example}\n`).join("")}`;
}

function commandRows(rows: readonly CommandRow[]): string {
  return columns(rows.map((row) => [`  ${[row.name, ...row.aliases].join(", ")}`, row.summary]));
}

function flagRows(flags: FlagSpecs): string[][] {
  return Object.entries(flags).map(([name, spec]) => {
    const value = spec.value === undefined ? "" : ` ${spec.value}`;
    const env = spec.env === undefined ? "" : ` [${spec.env}]`;
    const repeats = spec.repeats === true ? "; may be repeated" : "";
    return [`  --${name}${value}`, `${spec.summary}${repeats}${env}`];
  });
}
