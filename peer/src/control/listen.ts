import { chmod, mkdir, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { OWNER_ONLY_FOLDER } from "../home/atomic-file";
import type { ControlAddress } from "./address";
import { type ControlAnswer, ControlRequest, MAX_LINE_BYTES } from "./messages";

export type ControlServer = { readonly close: () => Promise<void> };

const SILENCE_MS = 5_000;

/** Listens when it resolves. Only this user reaches it. Throws what the system says. */
export async function listenForControl(
  { path, folder }: ControlAddress,
  answer: (request: ControlRequest) => Promise<ControlAnswer>,
): Promise<ControlServer> {
  if (folder !== undefined) {
    // Closed before the socket is there: nobody can be quicker.
    await mkdir(folder, { recursive: true, mode: OWNER_ONLY_FOLDER });
    await chmod(folder, OWNER_ONLY_FOLDER);
    await rm(path, { force: true });
  }
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.setTimeout(SILENCE_MS, () => socket.destroy());
    void serve(socket, answer);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => resolve());
  });
  if (folder !== undefined) await chmod(path, 0o600);
  return {
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
      if (folder !== undefined) await rm(path, { force: true });
    },
  };
}

async function serve(
  socket: Socket,
  answer: (request: ControlRequest) => Promise<ControlAnswer>,
): Promise<void> {
  const line = await readLine(socket);
  if (line === undefined) return;
  const request = ControlRequest.safeParse(parseLine(line));
  const said: ControlAnswer = request.success
    ? await answer(request.data)
    : { ok: false, message: "The worker is of another version; start it again." };
  socket.end(`${JSON.stringify(said)}\n`);
}

/** The first line that comes; `undefined` where none does. */
export function readLine(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const end = bytes.indexOf(10);
      if (end !== -1) resolve(bytes.toString("utf8", 0, end));
      else if (bytes.length > MAX_LINE_BYTES) socket.destroy();
    });
    socket.on("close", () => resolve(undefined));
  });
}

/** `undefined` for what is no JSON. */
export function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // The schema says what to do about it.
  }
}
