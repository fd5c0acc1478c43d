import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { lockFolder } from "#self-host/data-lock";
import { SelfHostError } from "#self-host/self-host-error";
import { temporaryFolder } from "./folders";

const holder = fileURLToPath(new URL("./lock-holder.ts", import.meta.url));

function refusalOf(folder: string): SelfHostError {
  try {
    lockFolder(folder).release();
  } catch (error) {
    if (error instanceof SelfHostError) return error;
    throw error;
  }
  throw new Error("the folder was free");
}

it("names the process that has the folder, and takes over from it once it is dead", async () => {
  const folder = temporaryFolder();
  const child = Bun.spawn([process.execPath, holder, folder], { stdin: "pipe", stdout: "pipe" });
  onTestFinished(() => child.kill("SIGKILL"));
  await child.stdout.getReader().read();
  const refusal = refusalOf(folder);
  expect(refusal.message).toContain(`by process ${child.pid}`);
  expect(refusal.hint).not.toBe("");

  child.kill("SIGKILL");
  await child.exited;
  lockFolder(folder).release();
});

it("holds within one process too, until it is released", () => {
  const folder = temporaryFolder();
  const lock = lockFolder(folder);
  expect(refusalOf(folder).message).toContain(`by process ${process.pid}`);
  // The kernel drops a lock when its process closes any other handle of the file.
  const child = Bun.spawnSync([process.execPath, holder, folder], { stdin: "ignore" });
  expect(child.exitCode).not.toBe(0);
  lock.release();
  lockFolder(folder).release();
});

it("makes the folder, and says where it cannot", () => {
  const folder = temporaryFolder();
  lockFolder(join(folder, "a", "b")).release();
  writeFileSync(join(folder, "file"), "");
  expect(refusalOf(join(folder, "file")).message).toContain("cannot be written");
});

it("takes a file of an owner that is long gone for what it is", () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "owner.pid"), `${process.ppid}\n`);
  lockFolder(folder).release();
});
