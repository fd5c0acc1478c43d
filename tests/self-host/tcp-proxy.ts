import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export type TcpProxy = {
  readonly port: number;
  /** Ends all connections and accepts none until `restore`. */
  readonly cut: () => void;
  /** Keeps all connections and passes nothing on. */
  readonly freeze: () => void;
  readonly restore: () => void;
  readonly close: () => Promise<void>;
};

/** Stands between a client and a server on 127.0.0.1, and fails as networks do. */
export async function startTcpProxy(serverPort: number): Promise<TcpProxy> {
  let state: "open" | "cut" | "frozen" = "open";
  const sockets = new Set<Socket>();
  const forward = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.on("data", (chunk) => {
      if (state !== "frozen") to.write(chunk);
    });
    from.on("error", () => undefined);
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const server = createServer((client) => {
    if (state === "cut") {
      client.destroy();
      return;
    }
    const upstream = connect(serverPort, "127.0.0.1");
    forward(client, upstream);
    forward(upstream, client);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");

  const endAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => {
      state = "cut";
      endAll();
    },
    freeze: () => {
      state = "frozen";
    },
    restore: () => {
      state = "open";
    },
    close: async () => {
      endAll();
      server.close();
      await once(server, "close");
    },
  };
}
