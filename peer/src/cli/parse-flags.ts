import { parseArgs } from "node:util";
import type { FlagSpec, FlagSpecs, FlagValues } from "../command";
import type { Env } from "../platform/platform";
import { CliError, EXIT } from "./error";
import { nearest } from "./nearest";

const SHORT: Readonly<Record<string, string>> = { help: "h", version: "V" };

type Token = NonNullable<
  ReturnType<typeof parseArgs<{ tokens: true; strict: false }>>["tokens"]
>[number];

/** Splits arguments as the flags say; knows nothing yet of whether they are right. */
export function tokenize(args: readonly string[], specs: FlagSpecs): readonly Token[] {
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => {
      const type = spec.value === undefined ? ("boolean" as const) : ("string" as const);
      const short = SHORT[name];
      return [name, short === undefined ? { type } : { type, short }];
    }),
  );
  return parseArgs({ args: [...args], options, strict: false, tokens: true }).tokens;
}

/**
 * The values of all flags: from the arguments, else the environment, else what the schema makes of
 * `undefined` (of `false` for a switch). Throws a `CliError` that names the flag, never the value.
 */
export function parseFlags<Specs extends FlagSpecs>(
  args: readonly string[],
  specs: Specs,
  env: Env,
  helpCommand: string,
): FlagValues<Specs> {
  const given = new Map<string, string[]>();
  const positional = Object.keys(specs).find((name) => specs[name]?.positional === true);
  for (const token of tokenize(args, specs)) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      if (positional !== undefined && !given.has(positional)) {
        given.set(positional, [token.value]);
        continue;
      }
      const many = positional === undefined ? ["no", "one was"] : ["one", "more were"];
      throw usage(
        `It takes ${many[0]} argument without a flag, and ${many[1]} given.`,
        helpCommand,
      );
    }
    const text = checkedText(token, specs, helpCommand);
    given.set(token.name, [...(given.get(token.name) ?? []), text]);
  }
  const values = Object.entries(specs).map(([name, spec]) => [
    name,
    parseValue(name, spec, given.get(name), env, helpCommand),
  ]);
  return Object.fromEntries(values) as FlagValues<Specs>;
}

function checkedText(
  token: Token & { kind: "option" },
  specs: FlagSpecs,
  helpCommand: string,
): string {
  const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : undefined;
  if (spec === undefined) throw unknownFlag(token, specs, helpCommand);
  if (spec.value === undefined) {
    if (token.value === undefined) return "";
    throw usage(`${token.rawName} takes no value.`, helpCommand);
  }
  // `--port --json` is a forgotten value, not a value that starts with dashes.
  const isForgotten = !token.inlineValue && token.value?.startsWith("-");
  if (token.value === undefined || isForgotten) {
    throw usage(`${token.rawName} needs a value: ${token.rawName} ${spec.value}.`, helpCommand);
  }
  return token.value;
}

function unknownFlag(
  token: Token & { kind: "option" },
  specs: FlagSpecs,
  helpCommand: string,
): CliError {
  const near = nearest(token.name, Object.keys(specs));
  if (near === undefined) return usage(`There is no flag ${token.rawName}.`, helpCommand);
  return usage(`There is no flag ${token.rawName}. Did you mean --${near}?`, helpCommand);
}

function parseValue(
  name: string,
  spec: FlagSpec,
  given: readonly string[] | undefined,
  env: Env,
  helpCommand: string,
): unknown {
  if (spec.value === undefined) return spec.schema.parse(given !== undefined);
  const fromEnv = spec.env === undefined ? undefined : env[spec.env];
  const isFromEnv = given === undefined && fromEnv !== undefined && fromEnv !== "";
  const texts = isFromEnv ? [fromEnv] : given;
  // Given twice, the last one counts, so that an alias can be overruled.
  const parsed = spec.schema.safeParse(spec.repeats === true ? texts : texts?.at(-1));
  if (parsed.success) return parsed.data;
  const what = parsed.error.issues[0]?.message ?? "is not valid";
  const where = isFromEnv ? `The environment variable ${spec.env}` : `--${name}`;
  throw usage(`${where} ${what}.`, helpCommand);
}

function usage(message: string, helpCommand: string): CliError {
  return new CliError(EXIT.usage, message, `Run: ${helpCommand}`);
}
