import { join } from "node:path";
import { expect, it } from "vitest";

const SCRIPT = join(import.meta.dirname, "../../scripts/rotate-keys.ts");

it.each([
  [["--lead", "soon"], /^--lead must be a number of seconds\.\nFor example: --lead 90\n$/],
  [["--lead", "-1"], /^Option '--lead' argument is ambiguous\.\nSee /],
  [["--url", "http://127.0.0.1:1"], /^The coordinator at .* does not answer\.\nDoes it run/],
  [["--data", "/nonexistent"], /^No coordinator runs with .*\.\nStart one .*--data.*--url\.\n$/],
])("refuses %j with the next thing to do", async (args, what) => {
  const env = { PATH: process.env["PATH"] ?? "", ADMIN_PASSWORD: "a-password-of-some-length" };
  const run = Bun.spawn([process.execPath, SCRIPT, ...args], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err] = await Promise.all([
    new Response(run.stdout).text(),
    new Response(run.stderr).text(),
  ]);
  expect(await run.exited).toBe(2);
  expect(out).toBe("");
  expect(err).toMatch(what);
});
