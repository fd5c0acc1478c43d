import { dlopen, ptr } from "bun:ffi";
import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

const AF_INET = 2;
const SOCK_STREAM = 1;
const ADDRESS_BYTES = 16;
/** A listener's queue takes one more than it was made for. */
const QUEUE = 0;

const isMac = process.platform === "darwin";
const libc = dlopen(isMac ? "libc.dylib" : "libc.so.6", {
  socket: { args: ["int", "int", "int"], returns: "int" },
  bind: { args: ["int", "ptr", "u32"], returns: "int" },
  listen: { args: ["int", "int"], returns: "int" },
  getsockname: { args: ["int", "ptr", "ptr"], returns: "int" },
  close: { args: ["int"], returns: "int" },
}).symbols;

/**
 * The URL of a port at which packets that ask for a connection are lost, as if the machine were gone: its listener takes
 * nobody, and its queue is full. No runtime's server leaves a connection in the queue.
 */
export async function portThatDropsConnections(): Promise<string> {
  const listener = libc.socket(AF_INET, SOCK_STREAM, 0);
  const address = new Uint8Array(ADDRESS_BYTES);
  address.set(isMac ? [ADDRESS_BYTES, AF_INET] : [AF_INET, 0]);
  address.set([127, 0, 0, 1], 4);
  const length = new Uint32Array([ADDRESS_BYTES]);
  const failed =
    libc.bind(listener, ptr(address), ADDRESS_BYTES) +
    libc.listen(listener, QUEUE) +
    libc.getsockname(listener, ptr(address), ptr(length));
  if (listener < 0 || failed !== 0) throw new Error("There is no port to be had.");
  const port = new DataView(address.buffer).getUint16(2);
  const queued: Socket = connect({ host: "127.0.0.1", port });
  queued.on("error", () => {});
  onTestFinished(() => {
    queued.destroy();
    libc.close(listener);
  });
  await new Promise<void>((resolve) => void queued.once("connect", resolve));
  return `http://127.0.0.1:${port}`;
}
