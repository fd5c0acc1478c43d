import { parseArgs, type ParseArgsConfig } from "node:util";
import { SelfHostError } from "./self-host-error";

/** The flags of a program as `parseArgs` reads them. Throws `SelfHostError` where one is unknown or has no value. */
export function readFlags<const Options extends NonNullable<ParseArgsConfig["options"]>>(
  args: string[],
  options: Options,
  help: string,
) {
  try {
    return parseArgs({ args, options }).values;
  } catch (cause) {
    // Node goes on with advice on its own syntax.
    const message = cause instanceof Error ? cause.message.split(/\. |\n/)[0] : undefined;
    throw new SelfHostError(message ?? "a flag is wrong", `See ${help}`, { cause });
  }
}

/** 0 takes any free port. Throws `SelfHostError` for what is no port. */
export function portOf(flag: string, text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new SelfHostError(`${flag} must be a number from 0 to 65535`, `For example: ${flag} 9001`);
}
