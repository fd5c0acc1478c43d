import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { loadE2eKey } from "#peer/home/e2e-key-file";
import { createSessionAcceptor, openSession } from "#protocol/e2e-session";
import { temporaryFolder } from "./temporary-folder";

const silent = (): void => {};

it("makes a key once, for its owner's eyes, that sessions can be begun with", async () => {
  const dir = await temporaryFolder();
  const both = await Promise.all([loadE2eKey(dir, silent), loadE2eKey(dir, silent)]);
  const again = await loadE2eKey(dir, silent);
  expect(both).toEqual([again, again]);
  const scope = { leaseId: "lease", nodeId: "node" };
  const { enc, ...keys } = (await openSession(again.x, scope)) ?? expect.unreachable();
  expect(await (await createSessionAcceptor(again))(enc, scope)).toEqual(keys);
  expect((await stat(join(dir, "e2e-key.json"))).mode & 0o777).toBe(0o600);
});

it("takes a key from others who could read it, and says so", async () => {
  const dir = await temporaryFolder();
  await loadE2eKey(dir, silent);
  const path = join(dir, "e2e-key.json");
  await chmod(path, 0o644);
  const said: string[] = [];
  await loadE2eKey(dir, (line) => said.push(line));
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(said).toHaveLength(1);
});

it("does not put another key in the place of a damaged one", async () => {
  const dir = await temporaryFolder();
  const path = join(dir, "e2e-key.json");
  await writeFile(path, "{}", { mode: 0o600 });
  await expect(loadE2eKey(dir, silent)).rejects.toThrow("damaged");
  expect(await readFile(path, "utf8")).toBe("{}");
});
