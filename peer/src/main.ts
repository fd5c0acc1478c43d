import { parseFlags } from "./cli/parse-flags";
import type { Terminal } from "./cli/context";
import { EXIT, type Exit } from "./cli/error";
import { asksForHelp, findCommand } from "./cli/find-command";
import { GLOBAL_FLAGS } from "./cli/global-flags";
import { commandHelp, groupHelp, overviewHelp } from "./cli/help";
import { makeContext } from "./cli/make-context";
import { reportOf } from "./cli/report-error";
import type { Command, CommandRow } from "./command";
import { VERSION } from "./version";

/** Runs `troop` with the arguments after its name; the result is the exit number. Never throws. */
export async function main(
  args: readonly string[],
  rows: readonly CommandRow[],
  terminal: Terminal,
): Promise<Exit> {
  try {
    return await dispatch(args, rows, terminal);
  } catch (error) {
    const { exit, message, hint } = reportOf(error);
    terminal.writeErr(`troop: ${message}\n${hint === undefined ? "" : `${hint}\n`}`);
    if (terminal.env["TROOP_DEBUG"] === "1") terminal.writeErr(`${Bun.inspect(error)}\n`);
    return exit;
  }
}

async function dispatch(
  args: readonly string[],
  rows: readonly CommandRow[],
  terminal: Terminal,
): Promise<Exit> {
  const isHelp = args[0] === "help";
  const { row, group, rest } = findCommand(isHelp ? [...args.slice(1), "--help"] : args, rows);
  if (row !== undefined) return runCommand(row, await row.load(), rest, terminal);
  if (group !== undefined) {
    await terminal.writeOut(groupHelp(group, rows));
    return EXIT.ok;
  }

  const flags = parseFlags(rest, GLOBAL_FLAGS, terminal.env, "troop --help");
  if (flags.version) return showVersion(terminal);
  if (flags.help) {
    await terminal.writeOut(overviewHelp(rows));
    return EXIT.ok;
  }
  terminal.writeErr(overviewHelp(rows));
  return EXIT.usage;
}

async function runCommand(
  row: CommandRow,
  command: Command,
  args: readonly string[],
  terminal: Terminal,
): Promise<Exit> {
  if (asksForHelp(args)) {
    await terminal.writeOut(commandHelp(row, command.flags));
    return EXIT.ok;
  }
  const specs = { ...command.flags, ...GLOBAL_FLAGS };
  const flags = parseFlags(args, specs, terminal.env, `troop ${row.name} --help`);
  if (flags.version) return showVersion(terminal);

  const emit = async (data: object): Promise<void> => {
    const json = () => `${JSON.stringify({ schema: command.schema, ...data }, null, 2)}\n`;
    await terminal.writeOut(flags.json ? json() : command.human(data));
  };
  const data = await command.run(makeContext(terminal, flags, emit));
  if (data !== undefined) await emit(data);
  return EXIT.ok;
}

async function showVersion(terminal: Terminal): Promise<Exit> {
  await terminal.writeOut(`troop ${VERSION}\n`);
  return EXIT.ok;
}
