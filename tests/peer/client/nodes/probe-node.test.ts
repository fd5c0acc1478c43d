import { createServer, type Server, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { probeNode } from "#peer/client/nodes/probe-node";
import { portThatDropsConnections } from "../dropping-port";

/** Brief where nothing is to come; ample where a slow machine has to connect first. */
const BRIEF_ANSWER = { connectWithinMs: 10_000, answerWithinMs: 50 };
const BRIEF_CONNECT = { connectWithinMs: 50, answerWithinMs: 10_000 };

async function listen(
  onSocket: (socket: Socket) => void,
): Promise<{ url: string; server: Server }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    onSocket(socket);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("It listens nowhere.");
  return { url: `http://127.0.0.1:${address.port}`, server };
}

it("finds a node that answers, and how far away it is", async () => {
  const asked: string[] = [];
  const { url } = await listen((socket) => {
    socket.on("data", (bytes) => {
      asked.push(bytes.toString());
      socket.end("HTTP/1.1 200 OK\r\n\r\n");
    });
  });
  expect(await probeNode(url)).toEqual({ state: "there", roundTripMs: expect.any(Number) });
  expect(asked[0]).toMatch(/^GET \/health HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\n/);
});

it("takes a machine for silent that takes a connection and answers nothing, or ends it", async () => {
  const quiet = await listen(() => {});
  expect(await probeNode(quiet.url, BRIEF_ANSWER)).toEqual({ state: "silent" });
  const ending = await listen((socket) => socket.end());
  expect(await probeNode(ending.url)).toEqual({ state: "silent" });
});

it("takes a node for away where nobody listens, and where nobody takes a connection", async () => {
  const { url, server } = await listen(() => {});
  await new Promise((closed) => server.close(closed));
  expect(await probeNode(url)).toEqual({ state: "away" });
  const dropping = await portThatDropsConnections();
  expect(await probeNode(dropping, BRIEF_CONNECT)).toEqual({ state: "away" });
});
