import type { CommandRow } from "../command";
import { CliError, EXIT } from "./error";
import { GLOBAL_FLAGS } from "./global-flags";
import { nearest } from "./nearest";
import { tokenize } from "./parse-flags";

/**
 * Takes the command's name, of one word or two, out of the arguments; `row` is absent where none is named. `group`: the
 * first word of several commands, where help on these is asked for.
 */
export function findCommand(
  args: readonly string[],
  rows: readonly CommandRow[],
): {
  readonly row: CommandRow | undefined;
  readonly group?: string;
  readonly rest: readonly string[];
} {
  let first: { readonly value: string; readonly index: number } | undefined;
  for (const token of tokenize(args, GLOBAL_FLAGS)) {
    if (token.kind === "option" && !Object.hasOwn(GLOBAL_FLAGS, token.name)) {
      // Without its command nobody knows whether this flag takes a value, so the name can't be found.
      if (!args.some((arg) => rowNamed(arg, rows) !== undefined)) break;
      throw new CliError(
        EXIT.usage,
        `${token.rawName} stands before the command.`,
        "Only --coordinator, --home, --json and --help may; put other flags after the command.",
      );
    }
    if (token.kind !== "positional") continue;
    const name = first === undefined ? token.value : `${first.value} ${token.value}`;
    const row = rowNamed(name, rows);
    if (row !== undefined) {
      const words = new Set([token.index, first?.index]);
      return { row, rest: args.filter((_, place) => !words.has(place)) };
    }
    if (first !== undefined || !isFirstWord(name, rows)) throw unknownCommand(name, rows);
    first = token;
  }
  if (first !== undefined) {
    if (!asksForHelp(args)) throw unknownCommand(first.value, rows);
    return { row: undefined, group: first.value, rest: args };
  }
  return { row: undefined, rest: args };
}

/** Help is given whatever else is wrong with the line: that is when it is needed. */
export function asksForHelp(args: readonly string[]): boolean {
  return args.includes("--help") || args.includes("-h");
}

function rowNamed(name: string, rows: readonly CommandRow[]): CommandRow | undefined {
  return rows.find((row) => row.name === name || row.aliases.includes(name));
}

function isFirstWord(word: string, rows: readonly CommandRow[]): boolean {
  return rows.some(({ name }) => name.startsWith(`${word} `));
}

function unknownCommand(name: string, rows: readonly CommandRow[]): CliError {
  if (isFirstWord(name, rows)) {
    const all = rows.map((row) => row.name).filter((one) => one.startsWith(`${name} `));
    throw new CliError(
      EXIT.usage,
      `troop ${name} needs a second word.`,
      `One of: ${all.join(", ")}`,
    );
  }
  const near = nearest(
    name,
    rows.flatMap((row) => [row.name, ...row.aliases]),
  );
  const question = near === undefined ? "" : ` Did you mean: troop ${near}?`;
  return new CliError(EXIT.usage, `There is no such command.${question}`, "Run: troop --help");
}
