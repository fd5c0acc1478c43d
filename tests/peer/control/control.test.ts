import { renameSync, statSync } from "node:fs";
import { connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { controlAddress } from "#peer/control/address";
import { askWorker } from "#peer/control/ask";
import { listenForControl } from "#peer/control/listen";
import type { ControlAnswer, ControlRequest } from "#peer/control/messages";
import { linux } from "#peer/platform/linux";
import { windows } from "#peer/platform/windows";
import { temporaryFolder } from "../home/temporary-folder";
import { LENDING } from "./lending-status";

async function listening(answer: (request: ControlRequest) => Promise<ControlAnswer>) {
  const address = controlAddress(await temporaryFolder(), linux);
  const server = await listenForControl(address, answer);
  onTestFinished(() => server.close());
  return { ...address, server };
}

const echo = async (): Promise<ControlAnswer> => ({ ok: true, status: LENDING });

it("asks the worker and hears its answer", async () => {
  const asked: ControlRequest[] = [];
  const address = await listening(async (request) => {
    asked.push(request);
    return echo();
  });
  expect(await askWorker(address, { ask: "pause", for_ms: 5 })).toEqual(LENDING);
  expect(asked).toEqual([{ ask: "pause", for_ms: 5 }]);
});

it("is its owner's alone: the socket and the folder around it", async () => {
  const { path } = await listening(echo);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
});

it("finds nobody where none listens, also beside a socket that a killed worker left", async () => {
  const address = controlAddress(await temporaryFolder(), linux);
  expect(await askWorker(address, { ask: "status" })).toBeUndefined();
  const { path, server } = await listening(echo);
  const left = { path: `${path}.left`, folder: undefined };
  renameSync(path, left.path);
  await server.close();
  expect(await askWorker(left, { ask: "status" })).toBeUndefined();
});

it("takes the place of a socket that was left", async () => {
  const address = await listening(() => expect.unreachable());
  const second = await listenForControl(address, echo);
  onTestFinished(() => second.close());
  expect(await askWorker(address, { ask: "status" })).toEqual(LENDING);
});

it("passes a refusal on", async () => {
  const address = await listening(async () => ({ ok: false, message: "Disk full?" }));
  await expect(askWorker(address, { ask: "resume" })).rejects.toThrow("Disk full?");
});

it.each(["no json", '{"ask":"shutdown"}', '{"ask":"pause","for_ms":-1}', "{}"])(
  "refuses what it does not know: %s",
  async (line) => {
    const { path } = await listening(() => expect.unreachable());
    const socket = connect({ path });
    socket.write(`${line}\n`);
    const answer = await new Promise((resolve) =>
      socket.once("data", (data) => resolve(String(data))),
    );
    expect(JSON.parse(String(answer))).toMatchObject({ ok: false });
    socket.destroy();
  },
);

it("hangs up on a line without an end", async () => {
  const { path } = await listening(() => expect.unreachable());
  const socket = connect({ path });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => {});
  // It never falls silent, so that only its length can be the reason.
  const piece = "x".repeat(100_000);
  const write = (): void => {
    if (!socket.destroyed) socket.write(piece, () => setImmediate(write));
  };
  write();
  await closed;
});

it("says so where the worker answers with something else", async () => {
  const path = join(await temporaryFolder(), "other.sock");
  const server = createServer((socket) => socket.end("hello\n")).listen(path);
  onTestFinished(() => void server.close());
  await expect(askWorker({ path, folder: undefined }, { ask: "status" })).rejects.toThrow(
    "no answer that this version of troop knows",
  );
});

it("keeps paths short enough for a socket, and has pipes on Windows", () => {
  const long = controlAddress(`/home/${"x".repeat(100)}`, linux);
  expect(Buffer.byteLength(long.path)).toBeLessThan(104);
  expect(controlAddress(`/home/${"y".repeat(100)}`, linux).path).not.toBe(long.path);
  const pipe = controlAddress("C:\\Users\\a", windows);
  expect(pipe.folder).toBeUndefined();
  expect(pipe.path).toMatch(/^\\\\\.\\pipe\\troop-[0-9a-f]{16}$/);
});
