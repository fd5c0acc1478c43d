import { expect, it } from "vitest";
import { SigningKey } from "#coordinator/config";
import { runProgram } from "./run-program";

it("prints a new key as the secret SIGNING_KEYS takes it, and nothing else", async () => {
  const kids = new Set<string>();
  for (let turn = 0; turn < 2; turn += 1) {
    const { exit, out, err } = await runProgram("scripts/make-keys.ts", []);
    expect({ exit, err }).toEqual({ exit: 0, err: "" });
    const [key] = SigningKey.array().length(1).parse(JSON.parse(out));
    kids.add(key?.kid ?? "");
  }
  expect(kids.size).toBe(2);
});
