import type { CommandRow } from "../command";
import { CliError, EXIT } from "./error";
import { GLOBAL_FLAGS } from "./global-flags";
import { nearest } from "./nearest";
import { tokenize } from "./parse-flags";

/** Takes the command's name out of the arguments; `row` is absent where none is named. */
export function findCommand(
  args: readonly string[],
  rows: readonly CommandRow[],
): { readonly row: CommandRow | undefined; readonly rest: readonly string[] } {
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
    const row = rowNamed(token.value, rows);
    if (row === undefined) throw unknownCommand(token.value, rows);
    return { row, rest: args.toSpliced(token.index, 1) };
  }
  return { row: undefined, rest: args };
}

function rowNamed(name: string, rows: readonly CommandRow[]): CommandRow | undefined {
  return rows.find((row) => row.name === name || row.aliases.includes(name));
}

function unknownCommand(name: string, rows: readonly CommandRow[]): CliError {
  const near = nearest(
    name,
    rows.flatMap((row) => [row.name, ...row.aliases]),
  );
  const question = near === undefined ? "" : ` Did you mean: troop ${near}?`;
  return new CliError(EXIT.usage, `There is no such command.${question}`, "Run: troop --help");
}
