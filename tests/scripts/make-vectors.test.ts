import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";

const SCRIPT = fileURLToPath(new URL("../../scripts/make-vectors.ts", import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "troop-vectors-"));
  expect(await makeVectors(folder)).toEqual({ code: 0, stderr: "" });
});
afterAll(() => rm(folder, { recursive: true }));

async function makeVectors(...args: string[]): Promise<{ code: number; stderr: string }> {
  const run = Bun.spawn([process.execPath, SCRIPT, ...args], { stderr: "pipe" });
  const stderr = await new Response(run.stderr).text();
  return { code: await run.exited, stderr };
}

it("the committed vectors are what the recipes make", async () => {
  expect(await makeVectors("--check")).toEqual({ code: 0, stderr: "" });
});

it("a vector changed by hand fails the check, which names the file and the way out", async () => {
  const file = join(folder, "ticket.json");
  const made = await readFile(file, "utf8");
  await writeFile(file, made.replace("wrong_audience", "wrong_issuer"));

  const checked = await makeVectors("--check", folder);
  expect(checked.code).toBe(1);
  expect(checked.stderr).toContain("ticket.json. Run: bun scripts/make-vectors.ts");

  await writeFile(file, made);
  expect((await makeVectors("--check", folder)).code).toBe(0);
});

it("a vector file too few or too many fails the check", async () => {
  const file = join(folder, "proof.json");
  const made = await readFile(file, "utf8");
  await rm(file);
  await writeFile(join(folder, "stray.json"), "{}");

  const checked = await makeVectors("--check", folder);
  expect(checked.code).toBe(1);
  expect(checked.stderr).toContain("proof.json (missing), stray.json (unknown)");

  await writeFile(file, made);
  await rm(join(folder, "stray.json"));
});
