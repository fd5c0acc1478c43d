import { expect, it } from "vitest";
import { CliError } from "#peer/cli/error";
import { findCommand } from "#peer/cli/find-command";
import type { CommandRow } from "#peer/command";

const ROWS: CommandRow[] = ["network create", "network list", "nodes"].map((name) => ({
  name,
  aliases: [],
  summary: "",
  examples: [],
  load: () => expect.unreachable(),
}));

function found(...args: string[]): unknown {
  const { row, rest } = findCommand(args, ROWS);
  return [row?.name, ...rest];
}

function hintOf(...args: string[]): string | undefined {
  try {
    findCommand(args, ROWS);
  } catch (error) {
    expect(error).toBeInstanceOf(CliError);
    return `${(error as CliError).message} ${(error as CliError).hint}`;
  }
  return expect.unreachable("the command should not have been found");
}

it("finds commands of one word and of two, and leaves the rest in order", () => {
  expect(found("nodes", "--limit", "5")).toEqual(["nodes", "--limit", "5"]);
  expect(found("network", "create", "team", "--json")).toEqual([
    "network create",
    "team",
    "--json",
  ]);
  expect(found("--json", "network", "--home", "h", "create", "create")).toEqual([
    "network create",
    "--json",
    "--home",
    "h",
    "create",
  ]);
  expect(found("--json")).toEqual([undefined, "--json"]);
});

it("says which second words there are", () => {
  expect(hintOf("network")).toContain("One of: network create, network list");
  expect(findCommand(["network", "--help"], ROWS)).toMatchObject({ group: "network" });
  expect(hintOf("network", "creat")).toContain("troop network create");
  expect(hintOf("node")).toContain("troop nodes");
});
