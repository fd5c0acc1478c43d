import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { openStores } from "#self-host/stores";
import { temporaryFolder } from "./folders";

const writer = fileURLToPath(new URL("./commit-until-killed.ts", import.meta.url));

/** Kills a process with SIGKILL in the middle of its commits; gives the last one it heard of. */
async function killWhileWriting(dataDir: string, afterCommits: number): Promise<number> {
  const child = Bun.spawn([process.execPath, writer, dataDir], {
    stdout: "pipe",
    stderr: "inherit",
  });
  onTestFinished(() => child.kill("SIGKILL"));
  let acknowledged = 0;
  let heard = 0;
  for await (const line of createInterface({ input: Readable.fromWeb(child.stdout as never) })) {
    acknowledged = Number(line);
    heard += 1;
    if (heard === afterCommits) child.kill("SIGKILL");
  }
  await child.exited;
  expect(child.signalCode).toBe("SIGKILL");
  return acknowledged;
}

it("has every acknowledged commit after its process was killed, and no half of another", async () => {
  const dataDir = temporaryFolder();
  for (const afterCommits of [137, 260]) {
    const acknowledged = await killWhileWriting(dataDir, afterCommits);

    const stores = await openStores({ dataDir });
    const rowsOf = async (text: string): Promise<unknown> =>
      (await stores.sql.query({ text, params: [] })).rows;
    expect(
      await rowsOf(`select n from generate_series(1, ${acknowledged}) n
        where (select count(*) from pairs where pairs.n = n.n) <> 2`),
    ).toEqual([]);
    expect(await rowsOf("select n from pairs group by n having count(*) <> 2")).toEqual([]);
    await stores.close();
  }
});
