import { expect, it } from "vitest";
import { z } from "zod";
import { CliError, EXIT } from "#peer/cli/error";
import { HostPort, HttpUrl, Port, wholeNumber } from "#peer/cli/flag-schemas";
import { parseFlags } from "#peer/cli/parse-flags";
import type { FlagSpecs } from "#peer/command";

const SPECS = {
  port: { schema: Port.default(9_000), value: "PORT", env: "TEST_PORT", summary: "" },
  engine: { schema: z.array(HttpUrl).default([]), value: "URL", repeats: true, summary: "" },
  listen: { schema: HostPort.optional(), value: "HOST:PORT", summary: "" },
  count: { schema: wholeNumber(1, 5).optional(), value: "N", summary: "" },
  json: { schema: z.boolean(), summary: "" },
} as const satisfies FlagSpecs;

function parse(args: readonly string[], env: Record<string, string> = {}) {
  return parseFlags(args, SPECS, env, "troop test --help");
}

function refusalOf(args: readonly string[], env: Record<string, string> = {}): CliError {
  try {
    parse(args, env);
  } catch (error) {
    expect(error).toBeInstanceOf(CliError);
    return error as CliError;
  }
  return expect.unreachable("the flags should have been refused");
}

it("takes the flag before the environment before the default", () => {
  expect(parse([]).port).toBe(9_000);
  expect(parse([], { TEST_PORT: "1" }).port).toBe(1);
  expect(parse([], { TEST_PORT: "" }).port).toBe(9_000);
  expect(parse(["--port", "2"], { TEST_PORT: "1" }).port).toBe(2);
  expect(parse(["--port=3"]).port).toBe(3);
});

it("collects a repeated flag, and takes the last of any other", () => {
  const urls = ["http://127.0.0.1:1", "http://127.0.0.1:2"];
  expect(parse(urls.flatMap((url) => ["--engine", url])).engine).toEqual(urls);
  expect(parse([]).engine).toEqual([]);
  expect(parse(["--port", "1", "--port", "2"]).port).toBe(2);
});

it("reads a switch as given or not", () => {
  expect(parse(["--json"]).json).toBe(true);
  expect(parse([]).json).toBe(false);
});

it.each([
  ["127.0.0.1:8080", { host: "127.0.0.1", port: 8_080 }],
  ["[fd7a:115c:a1e0::7]:0", { host: "fd7a:115c:a1e0::7", port: 0 }],
  ["localhost:65535", { host: "localhost", port: 65_535 }],
])("reads %s as host and port", (text, expected) => {
  expect(parse(["--listen", text]).listen).toEqual(expected);
});

it.each([
  [["--prot", "1"], "There is no flag --prot. Did you mean --port?"],
  [["--frobnicate"], "There is no flag --frobnicate."],
  [["--constructor"], "There is no flag --constructor."],
  [["-x"], "There is no flag -x."],
  [["--port"], "--port needs a value: --port PORT."],
  [["--port", "--json"], "--port needs a value: --port PORT."],
  [["--json=1"], "--json takes no value."],
  [["extra"], "It takes no argument without a flag, and one was given."],
  [["--port", "1.5"], "--port must be a whole number from 0 to 65535."],
  [["--port", "65536"], "--port must be a whole number from 0 to 65535."],
  [["--port=-1"], "--port must be a whole number from 0 to 65535."],
  [["--count", "0"], "--count must be a whole number from 1 to 5."],
  [["--engine", "127.0.0.1:1"], "--engine must be a URL such as http://127.0.0.1:11434."],
  [
    ["--listen", "8080"],
    "--listen must be HOST:PORT, such as 100.64.0.7:8080 or [fd7a:115c:a1e0::7]:8080.",
  ],
  [
    ["--listen", "host:99999"],
    "--listen must be HOST:PORT, such as 100.64.0.7:8080 or [fd7a:115c:a1e0::7]:8080.",
  ],
])("refuses %j and says why", (args, message) => {
  const refusal = refusalOf(args);
  expect(refusal.message).toBe(message);
  expect(refusal.exit).toBe(EXIT.usage);
  expect(refusal.hint).toBe("Run: troop test --help");
});

it("names the variable, never its value, where the environment is wrong", () => {
  const refusal = refusalOf([], { TEST_PORT: "s3cret" });
  expect(refusal.message).toBe(
    "The environment variable TEST_PORT must be a whole number from 0 to 65535.",
  );
});

it("takes one argument without its flag's name where a flag says so", () => {
  const specs = {
    invite: { schema: z.string().optional(), value: "INVITE", positional: true, summary: "" },
    json: { schema: z.boolean(), summary: "" },
  } as const satisfies FlagSpecs;
  const read = (...args: string[]) => parseFlags(args, specs, {}, "troop join --help");
  expect(read("code").invite).toBe("code");
  expect(read("--json", "code")).toEqual({ invite: "code", json: true });
  expect(read("--invite", "code").invite).toBe("code");
  expect(() => read("code", "another")).toThrow("one argument without a flag, and more were given");
  expect(() => read("--invite", "code", "another")).toThrow("more were given");
});
