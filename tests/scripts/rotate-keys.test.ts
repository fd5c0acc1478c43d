import { expect, it } from "vitest";
import { runProgram } from "./run-program";

it.each([
  [["--lead", "soon"], /^--lead must be a number of seconds\.\nFor example: --lead 90\n$/],
  [["--lead", "-1"], /^Option '--lead' argument is ambiguous\.\nSee /],
  [["--url", "http://127.0.0.1:1"], /^The coordinator at .* does not answer\.\nDoes it run/],
  [["--data", "/nonexistent"], /^No coordinator runs with .*\.\nStart one .*--data.*--url\.\n$/],
])("refuses %j with the next thing to do", async (args, what) => {
  const env = { ADMIN_PASSWORD: "a-password-of-some-length" };
  const { exit, out, err } = await runProgram("scripts/rotate-keys.ts", args, env);
  expect({ exit, out }).toEqual({ exit: 2, out: "" });
  expect(err).toMatch(what);
});
