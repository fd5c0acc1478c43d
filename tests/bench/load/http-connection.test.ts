import { afterEach, expect, it } from "vitest";
import { openPool } from "./connection-pool";
import { openConnection, postBytes } from "./http-connection";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function serve(answer: (request: Request) => Response | Promise<Response>): string {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
  closers.push(() => server.stop(true));
  return `http://127.0.0.1:${server.port}`;
}

it("waits for the end of an answer, and tells when its body began", async () => {
  const gate = Promise.withResolvers<void>();
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(Buffer.from("first"));
      await gate.promise;
      controller.enqueue(Buffer.from("last"));
      controller.close();
    },
  });
  const url = serve(() => new Response(body));
  const connection = await openConnection(url);
  closers.push(connection.close);
  let text = "";
  const answer = await connection.send(postBytes(url, "/x", {}), (bytes) => {
    text += Buffer.from(bytes).toString();
    gate.resolve();
  });
  expect(text).toBe("firstlast");
  expect(answer.status).toBe(200);
  expect(answer.firstByteMs).toBeGreaterThan(0);
  expect(answer.endMs).toBeGreaterThanOrEqual(answer.firstByteMs);
});

it("carries one request after another on a connection, each whole", async () => {
  const url = serve(async (request) => new Response(await request.text()));
  const connection = await openConnection(url);
  closers.push(connection.close);
  for (const value of ["a", "b".repeat(200_000), "c"]) {
    let text = "";
    await connection.send(postBytes(url, "/x", { value }), (bytes) => {
      text += Buffer.from(bytes).toString();
    });
    expect(JSON.parse(text)).toEqual({ value });
  }
});

it("never takes a broken answer for an ended one", async () => {
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket) {
        socket.end("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
      },
    },
  });
  closers.push(() => server.stop(true));
  const url = `http://127.0.0.1:${server.port}`;
  const connection = await openConnection(url);
  await expect(connection.send(postBytes(url, "/x", {}))).rejects.toThrow(
    "did not come to its end",
  );
  expect(connection.isOpen).toBe(false);
});

it("fails where an answer is no success, rather than counting it", async () => {
  const url = serve(() => new Response("no", { status: 503 }));
  const pool = await openPool(url, 1);
  closers.push(pool.close);
  await expect(pool.send(postBytes(url, "/x", {}))).rejects.toThrow("answered with 503");
});
