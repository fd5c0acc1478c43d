import type { z } from "zod";
import type { CommandContext } from "./cli/context";

/** One flag. The schema gets the text after the flag, or all of them in a list where it `repeats`. */
export type FlagSpec = {
  readonly schema: z.ZodType;
  readonly summary: string;
  /** What stands for the value in help, such as `URL`; a flag without one is a switch. */
  readonly value?: string;
  readonly repeats?: true;
  /** Also taken without the flag's name: `troop join INVITE`. One flag of a command. */
  readonly positional?: true;
  /** Environment variable that stands in where the flag is not given. */
  readonly env?: string;
};
export type FlagSpecs = Readonly<Record<string, FlagSpec>>;
export type FlagValues<Specs extends FlagSpecs> = {
  readonly [Name in keyof Specs]: z.infer<Specs[Name]["schema"]>;
};

export type CommandDefinition<Specs extends FlagSpecs, Data extends object> = {
  /** Names the shape that `--json` prints, with its version: `troop.balance/1`. */
  readonly schema: string;
  readonly flags: Specs;
  /** What it returns is printed; a command that goes on after its first result uses `ctx.emit`. */
  readonly run: (ctx: CommandContext<FlagValues<Specs>, Data>) => Promise<Data | undefined>;
  /** The same data for people; ends with a newline. */
  readonly human: (data: Data) => string;
};

/** A command whose types are checked and forgotten, so that commands fit in one table. */
export type Command = CommandDefinition<FlagSpecs, object>;

export function command<Specs extends FlagSpecs, Data extends object>(
  definition: CommandDefinition<Specs, Data>,
): Command {
  // Sound: `main` gives `run` the flags that `flags` parsed, and `human` the data that `run` made.
  return definition as unknown as Command;
}

/** A row of the table of commands: all that help needs, and where the rest is. */
export type CommandRow = {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly examples: readonly string[];
  /** Loaded when it is called, so that no command starts slower for the others. */
  readonly load: () => Promise<Command>;
};
