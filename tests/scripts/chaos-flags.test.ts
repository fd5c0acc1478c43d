import { expect, it } from "vitest";
import { parseFlags, USAGE } from "../chaos/flags";

it.each([["--help"], ["-h"], ["storm", "--help"]])("shows its usage for %s", (...args) => {
  expect(parseFlags(args, 7)).toEqual({ kind: "help" });
  for (const flag of ["runs", "requests", "seconds", "apps", "seed"]) {
    expect(USAGE).toContain(`--${flag} N`);
  }
});

it("runs all of it with a seed of its own, or what it is told to", () => {
  expect(parseFlags([], 7)).toEqual({
    kind: "run",
    plan: {
      parts: ["kills", "storm"],
      kills: { runs: 20, requestsEach: 6, seed: 7 },
      storm: { seconds: 40, atOnce: 40, seed: 7 },
    },
  });
  expect(parseFlags(["storm", "--seed", "9", "--apps", "200", "--seconds=120"], 7)).toMatchObject({
    plan: { parts: ["storm"], storm: { seconds: 120, atOnce: 200, seed: 9 } },
  });
});

it.each([
  ["a part that there is not", ["gale"], "There is no part gale"],
  ["a flag that there is not", ["--sead", "1"], "--sead"],
  ["what is no number", ["--apps", "many"], "--apps must be a whole number, not many"],
  ["a flag without a value", ["--seed"], "--seed"],
])("refuses %s and says which", (_, args, why) => {
  const asked = parseFlags(args, 7);
  expect(asked.kind === "refused" && asked.why).toContain(why);
});
