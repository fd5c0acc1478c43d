import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openGpuDevice } from "#peer/hardware/gpu/gpu-device";
import { temporaryFolder } from "../../home/temporary-folder";

/** A process in the place of the one that holds the GPU. */
async function withProcess(source: string, signal = new AbortController().signal) {
  const file = join(await temporaryFolder(), "child.ts");
  await writeFile(file, source);
  return openGpuDevice({ signal, command: [process.execPath, file] });
}

const answering = (answer: string) => `process.on("message", () => process.send(${answer}));`;

it("says that the process ended, where a driver takes it along", async () => {
  const crashes = `process.on("message", () => process.kill(process.pid, "SIGSEGV"));`;
  await expect(withProcess(crashes)).rejects.toMatchObject({
    name: "GpuFailed",
    message: "The GPU's process ended.",
  });
  await expect(withProcess("process.exit(3);")).rejects.toMatchObject({ name: "GpuFailed" });
});

it("says why there is no GPU, as the process says it", async () => {
  const none = answering(`{ type: "none", why: "no GPU was found" }`);
  await expect(withProcess(none)).rejects.toMatchObject({
    name: "NoGpu",
    message: "no GPU was found",
  });
});

it("does not take another answer for one", async () => {
  await expect(withProcess(answering(`{ type: "begun" }`))).rejects.toMatchObject({
    name: "GpuFailed",
  });
});

it("uses no device that computes wrong results", async () => {
  const wrong = `process.on("message", ({ type }) => {
    if (type === "open") return process.send({ type: "opened", label: "A card", tableRowsWanted: 64 });
    if (type === "begin") return process.send({ type: "begun" });
    const length = { step: 512, leaf: 65_536, pass: 128 }[type];
    process.send({ type: "bytes", bytes: new Uint8Array(length), tableRows: 64 });
  });`;
  await expect(withProcess(wrong)).rejects.toMatchObject({
    name: "NoGpu",
    message: "A card computes wrong results",
  });
});

it("says so again when it is asked of a process that has crashed since", async () => {
  const own = (path: string) => JSON.stringify(join(import.meta.dirname, "../../../..", path));
  const crashesLater = `
    import { bindPasses, computeRows, digestsOf, passOver } from ${own("tests/support/hardware-run.ts")};
    import { joined } from ${own("protocol/poh/openings.ts")};
    const key = new Uint8Array(32).fill(1);
    const rows = computeRows(64, { nonce: key, nodeId: "self-check", seed: key });
    let isChecked = false;
    process.on("message", ({ type, stream }) => {
      if (isChecked) process.kill(process.pid, "SIGKILL");
      if (type === "open") return process.send({ type: "opened", label: "A card", tableRowsWanted: 64 });
      if (type === "begin") return process.send({ type: "begun" });
      isChecked = type === "pass";
      const bytes = {
        step: () => digestsOf(rows),
        leaf: () => joined(rows),
        pass: () => passOver(bindPasses(rows, 1, key).pages, stream),
      }[type]();
      process.send({ type: "bytes", bytes, tableRows: 64 });
    });`;
  const device = await withProcess(crashesLater);
  const ended = { name: "GpuFailed", message: "The GPU's process ended." };
  await expect(device.leafRows(0)).rejects.toMatchObject(ended);
  await expect(device.leafRows(0)).rejects.toMatchObject(ended);
  await device.close();
});

it("ends the process when it is stopped, whatever that does", async () => {
  const controller = new AbortController();
  const silent = `process.on("message", () => {});`;
  const opening = withProcess(silent, controller.signal);
  controller.abort();
  await expect(opening).rejects.toMatchObject({ name: "ProofYielded" });
});
