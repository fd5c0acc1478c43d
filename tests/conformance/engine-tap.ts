import { createHash } from "node:crypto";
import { connect, createServer, type Socket } from "node:net";
import { z } from "zod";
import { declaredFraming, type HttpHead, httpParser } from "./http-parser";

/** A request as it reached the engine. */
export const TappedRequest = z.object({
  method: z.string(),
  target: z.string(),
  headers: z.array(z.tuple([z.string(), z.string()])),
  bodyBytes: z.number(),
  bodySha256: z.string(),
  isWhole: z.boolean(),
  /** Since the epoch; null while the connection to the engine stands. */
  closedAtMs: z.number().nullable(),
});
export type TappedRequest = z.infer<typeof TappedRequest>;

export type EngineTap = {
  /** Where the network finds the engine. */
  readonly url: string;
  /** GET /requests, POST /forget, POST /cut; for tests, which run in another thread. */
  readonly controlUrl: string;
  readonly stop: () => Promise<void>;
};

/**
 * A wire between network and engine that passes all bytes as they are, remembers the requests, and
 * can be cut, which is how a dying engine looks.
 */
export async function startEngineTap(engineUrl: string): Promise<EngineTap> {
  const engine = new URL(engineUrl);
  const sockets = new Set<Socket>();
  let journal: TappedRequest[] = [];

  const server = createServer({ noDelay: true }, (fromNetwork) => {
    const toEngine = connect({
      host: engine.hostname,
      port: Number(engine.port),
      noDelay: true,
    });
    const recorder = requestRecorder((request) => journal.push(request));
    fromNetwork.on("data", recorder.push);
    for (const [socket, other] of [
      [fromNetwork, toEngine],
      [toEngine, fromNetwork],
    ] as const) {
      sockets.add(socket);
      socket.pipe(other);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        recorder.close();
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  const port = await listen(server);

  const control = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    routes: {
      "/requests": () => Response.json(journal),
      "/forget": () => {
        journal = [];
        return new Response();
      },
      "/cut": () => {
        for (const socket of sockets) socket.resetAndDestroy();
        return new Response();
      },
    },
  });
  return {
    url: `http://127.0.0.1:${port}`,
    controlUrl: control.url.origin,
    stop: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await control.stop(true);
    },
  };
}

type Recorder = { readonly push: (bytes: Uint8Array) => void; readonly close: () => void };

function requestRecorder(onRequest: (request: TappedRequest) => void): Recorder {
  const onThisConnection: TappedRequest[] = [];
  let current: TappedRequest | undefined;
  let digest = createHash("sha256");
  const parser = httpParser((head) => declaredFraming(head) ?? 0, {
    onHead: (head) => {
      current = emptyRequest(head);
      digest = createHash("sha256");
      onThisConnection.push(current);
      onRequest(current);
    },
    onBody: (bytes) => {
      digest.update(bytes);
      if (current !== undefined) current.bodyBytes += bytes.length;
    },
    onEnd: () => {
      if (current === undefined) return;
      current.bodySha256 = digest.digest("hex");
      current.isWhole = true;
    },
  });
  return {
    push: parser.push,
    close: () => {
      for (const request of onThisConnection) request.closedAtMs ??= Date.now();
    },
  };
}

function emptyRequest({ startLine, headers }: HttpHead): TappedRequest {
  const [method = "", target = ""] = startLine.split(" ");
  return {
    method,
    target,
    headers: headers.map(([name, value]) => [name, value]),
    bodyBytes: 0,
    bodySha256: "",
    isWhole: false,
    closedAtMs: null,
  };
}

function listen(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(address !== null && typeof address === "object" ? address.port : 0);
    });
  });
}
