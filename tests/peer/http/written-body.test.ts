import { createConnection, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { type BodyWriter, writtenBody } from "#peer/http/written-body";

/** A server whose one answer is written by `begin`, asked by a bare socket. */
function ask(begin: (body: BodyWriter) => void, before?: (request: Request) => Promise<void>) {
  const told = { drained: 0, left: 0 };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      await before?.(request);
      const drained = () => void (told.drained += 1);
      const left = () => void (told.left += 1);
      return new Response(writtenBody({ begin, drained, left }));
    },
  });
  const socket = createConnection(server.port ?? 0, "127.0.0.1");
  onTestFinished(async () => {
    socket.destroy();
    await server.stop(true);
  });
  const errors: string[] = [];
  socket.on("error", (error: NodeJS.ErrnoException) => errors.push(error.code ?? ""));
  socket.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
  return { socket, told, errors };
}

/** All that comes until it looks so. */
async function readUntil(socket: Socket, isThere: (text: string) => boolean): Promise<string> {
  let text = "";
  await new Promise<void>((resolve) => {
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      if (isThere(text)) resolve();
    });
    socket.on("close", () => resolve());
  });
  return text;
}

it("sends what is written, in chunks, and the end", async () => {
  const { promise, resolve } = Promise.withResolvers<BodyWriter>();
  const { socket, told } = ask((body) => {
    body.write(Buffer.from("head and "));
    body.write(Buffer.from("first"));
    resolve(body);
  });
  const body = await promise;
  await readUntil(socket, (text) => text.endsWith("first\r\n"));
  expect(body.write(Buffer.from("later"))).toBe(true);
  body.end();
  const rest = await readUntil(socket, (text) => text.endsWith("0\r\n\r\n"));
  expect(rest).toBe("5\r\nlater\r\n0\r\n\r\n");
  expect(told).toEqual({ drained: 0, left: 0 });
});

it("says when the other side takes less than comes, and tells when it takes more again", async () => {
  const piece = Buffer.alloc(256 * 1_024, 120);
  let written = 0;
  const { promise, resolve } = Promise.withResolvers<BodyWriter>();
  const { socket, told } = ask((body) => {
    do written += 1;
    while (body.write(piece) && written < 1_000);
    resolve(body);
  });
  socket.pause();
  const body = await promise;
  expect(written).toBeLessThan(1_000);
  expect(body.write(piece)).toBe(false);
  expect(told).toEqual({ drained: 0, left: 0 });
  socket.resume();
  await expect.poll(() => told).toEqual({ drained: 1, left: 0 });
  expect(body.write(Buffer.from("."))).toBe(true);
  body.end();
});

it("breaks the connection where the body breaks off, after what was written", async () => {
  const { promise, resolve } = Promise.withResolvers<BodyWriter>();
  const { socket, told, errors } = ask((body) => {
    body.write(Buffer.from("half"));
    resolve(body);
  });
  const body = await promise;
  await readUntil(socket, (text) => text.endsWith("half\r\n"));
  body.breakOff();
  expect(await readUntil(socket, () => false)).toBe("");
  expect(errors).toEqual(["ECONNRESET"]);
  expect(told).toEqual({ drained: 0, left: 0 });
});

it("tells once that the other side left, in the middle of the body", async () => {
  const { promise, resolve } = Promise.withResolvers<BodyWriter>();
  const { socket, told } = ask((body) => {
    body.write(Buffer.from("half"));
    resolve(body);
  });
  const body = await promise;
  socket.destroy();
  await expect.poll(() => told).toEqual({ drained: 0, left: 1 });
  body.write(Buffer.from("nobody gets this"));
  body.end();
  expect(told).toEqual({ drained: 0, left: 1 });
});

it("tells that the other side left before a byte of the answer was written", async () => {
  const leave = ({ signal }: Request) =>
    new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve());
      socket.destroy();
    });
  const { socket, told } = ask(() => expect.unreachable(), leave);
  await expect.poll(() => told).toEqual({ drained: 0, left: 1 });
});

it("can be read by hand, piece by piece", async () => {
  const { promise, resolve } = Promise.withResolvers<BodyWriter>();
  const told: string[] = [];
  const reader = writtenBody({
    begin: resolve,
    drained: () => void told.push("drained"),
    left: () => void told.push("left"),
  }).getReader();
  const first = reader.read();
  const body = await promise;
  body.write(Buffer.from("one"));
  expect(Buffer.from((await first).value ?? []).toString()).toBe("one");
  body.write(Buffer.from("two"));
  body.end();
  expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe("two");
  expect((await reader.read()).done).toBe(true);
  expect(told).not.toContain("left");
});
