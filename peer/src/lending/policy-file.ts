import { readFile } from "node:fs/promises";
import { parse, TomlError } from "smol-toml";
import { CliError, EXIT } from "../cli/error";
import { nearest } from "../cli/nearest";
import { errorCode } from "../home/atomic-file";
import { contradiction, PolicyFile } from "./policy";
import { lineOf } from "./toml-line";

/** Reads `troop.toml`; none is an empty one, unless a person `named` it. Throws `CliError` that names the line. */
export async function readPolicyFile(path: string, named: boolean): Promise<PolicyFile> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (!named && errorCode(cause) === "ENOENT") return {};
    throw new CliError(
      EXIT.usage,
      `${path} cannot be read (${errorCode(cause) ?? "unknown reason"}).`,
      "Name a file that is there: --config FILE",
      { cause },
    );
  }
  return parsePolicyFile(text, path);
}

/** Throws `CliError` that names the file's line, never what stands there. */
export function parsePolicyFile(text: string, path: string): PolicyFile {
  const wrong = (line: number | undefined, message: string): CliError =>
    new CliError(
      EXIT.usage,
      `${path}${line === undefined ? "" : `:${line}`}: ${message}.`,
      "Mend that line, or move the file away to lend as by default.",
    );
  let table: unknown;
  try {
    table = parse(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const [first = ""] = cause.message.split("\n");
    throw wrong(cause.line, first.replace(/^Invalid TOML document: /, ""));
  }
  const parsed = PolicyFile.safeParse(table);
  if (!parsed.success) {
    const { issues } = parsed.error;
    // What is missing may only be misspelt, which the next one says.
    const issue = issues.find(({ path }) => valueAt(table, path) !== undefined) ?? issues[0];
    const isUnknown = issue?.code === "unrecognized_keys";
    const place = [...(issue?.path ?? []), ...(isUnknown ? issue.keys.slice(0, 1) : [])];
    const keys = place.filter((step) => typeof step === "string");
    const name = keys.join(".");
    const what = isUnknown ? unknownKey(name) : `${name} ${issue?.message ?? "is not valid"}`;
    throw wrong(lineOf(text, keys, entryOf(place)), what);
  }
  const clash = contradiction(parsed.data);
  if (clash !== undefined) throw wrong(lineOf(text, [clash.key]), `${clash.key} ${clash.message}`);
  return parsed.data;
}

function unknownKey(name: string): string {
  const known = [
    ...Object.keys(PolicyFile.shape),
    ...Object.keys(PolicyFile.shape.schedule.unwrap().shape).map((key) => `schedule.${key}`),
  ];
  const near = nearest(name, known) ?? known.find((key) => key.startsWith(name));
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  return `there is no setting ${name}${hint}`;
}

/** Of a list, the entry that is wrong. */
function entryOf(place: readonly PropertyKey[]): number | undefined {
  const last = place.at(-1);
  return typeof last === "number" ? last : undefined;
}

function valueAt(table: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce((value: unknown, key) => Object(value)[key] as unknown, table);
}
