import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { openCluster } from "#self-host/pglite-cluster";
import { cacheFolder } from "./folders";

/** First four bytes of an SSL request after its length; clients send it before anything else. */
const SSL_REQUEST = 80_877_103;

/**
 * The embedded Postgres behind a port of 127.0.0.1, so that the driver of the real one has something to
 * talk to where no Postgres is installed. One connection at a time.
 */
export async function startPgliteOnTcp(): Promise<{
  readonly port: number;
  readonly close: () => Promise<void>;
}> {
  const pglite = await openCluster({ folder: null, cacheFolder, fsync: false });
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    let received = Buffer.alloc(0);
    let isStarted = false;
    let last: Promise<unknown> = Promise.resolve();
    const pass = (message: Buffer): void => {
      last = last.then(async () => writeTo(socket, await pglite.execProtocolRaw(message)));
    };
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      for (;;) {
        const length = messageLength(received, isStarted);
        if (length === null) return;
        const message = received.subarray(0, length);
        received = received.subarray(length);
        if (!isStarted && message.readInt32BE(4) === SSL_REQUEST) {
          socket.write("N");
          continue;
        }
        isStarted = true;
        pass(message);
      }
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.close();
      await once(server, "close");
      await pglite.close();
    },
  };
}

/** Null until a whole message is there. A message starts with its type, but the first one does not. */
function messageLength(received: Buffer, isStarted: boolean): number | null {
  const offset = isStarted ? 1 : 0;
  if (received.length < offset + 4) return null;
  const length = offset + received.readInt32BE(offset);
  return received.length < length ? null : length;
}

function writeTo(socket: Socket, answer: Uint8Array): void {
  if (!socket.destroyed && answer.length > 0) socket.write(answer);
}
