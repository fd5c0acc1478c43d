import { createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { callHttp, createCaller, type OutgoingBody } from "#peer/http/call";

const servers: Server[] = [];
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

type Said = { readonly socket: Socket; readonly text: string; readonly connection: number };

/** A server that answers as `say` does, whenever something came. */
async function serve(
  say: (said: Said) => void,
): Promise<{ url: string; connections: () => number }> {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    const connection = connections;
    sockets.push(socket);
    let text = "";
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      say({ socket, text, connection });
      if (text.endsWith("\r\n\r\n{}")) text = "";
    });
  });
  servers.push(server);
  return { url: await listening(server), connections: () => connections };
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("It listens nowhere.");
  return `127.0.0.1:${address.port}`;
}

const JSON_BODY: OutgoingBody = { kind: "whole", bytes: Buffer.from("{}") };
const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

const post = (url: string, body: OutgoingBody = JSON_BODY, headers = {}) =>
  callHttp({ url: `http://${url}/v1/x?y=1`, headers, body });

/** Its status and its text; or why there is none. */
async function outcome(call: ReturnType<typeof callHttp>): Promise<string> {
  const answer = await call.answer;
  if (!answer.ok) return answer.reason;
  const { value } = answer;
  return new Promise((resolve) => {
    let text = "";
    value.read({
      onData: (bytes) => {
        text += Buffer.from(bytes).toString();
      },
      onEnd: (isWhole) => resolve(`${value.status} ${text}${isWhole ? "" : " (broken off)"}`),
    });
  });
}

it("sends one request as it was given, and reads its answer", async () => {
  let seen = "";
  const { url } = await serve(({ socket, text }) => {
    seen = text;
    if (text.endsWith("{}")) socket.write(OK);
  });
  const headers = { "content-length": 2, "x-name": "\xe9" };
  expect(await outcome(post(url, JSON_BODY, headers))).toBe("200 ok");
  expect(seen).toBe(
    `POST /v1/x?y=1 HTTP/1.1\r\nhost: ${url}\r\ncontent-length: 2\r\nx-name: \xe9\r\n\r\n{}`,
  );
});

it("uses a connection again when its answer was whole, and no other", async () => {
  const { url, connections } = await serve(({ socket, text, connection }) => {
    if (text.endsWith("{}")) socket.write(connection === 2 ? `${OK}more` : OK);
  });
  await outcome(post(url));
  await outcome(post(url));
  expect(connections()).toBe(1);
  await Promise.all([outcome(post(url)), outcome(post(url))]);
  expect(connections()).toBe(2);
});

it("asks again on a new connection where the one that it had kept turns out closed", async () => {
  let asked = 0;
  const { url, connections } = await serve(({ socket, text }) => {
    if (!text.endsWith("{}")) return;
    asked += 1;
    if (asked === 2) socket.destroy();
    else socket.write(OK);
  });
  expect(await outcome(post(url))).toBe("200 ok");
  expect(await outcome(post(url))).toBe("200 ok");
  expect(connections()).toBe(2);
});

it("asks nothing twice where it is told not to, and uses connections again all the same", async () => {
  let asked = 0;
  const { url, connections } = await serve(({ socket, text }) => {
    if (!text.endsWith("{}")) return;
    asked += 1;
    if (asked === 3) socket.destroy();
    else socket.write(OK);
  });
  const call = createCaller({ idleMs: 50_000, sendsAgain: false });
  const once = () => outcome(call({ url: `http://${url}/`, headers: {}, body: JSON_BODY }));
  expect([await once(), await once(), await once()]).toEqual(["200 ok", "200 ok", "broke"]);
  expect([asked, connections()]).toEqual([3, 1]);
  expect(await once()).toBe("200 ok");
});

it("does not ask twice what a new connection broke on", async () => {
  const { url, connections } = await serve(({ socket }) => socket.destroy());
  expect(await outcome(post(url))).toBe("broke");
  expect(connections()).toBe(1);
});

it.each([
  ["no HTTP", "hello\r\n\r\n", "broke"],
  [
    "a body that is cut short",
    "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\npart",
    "200 part (broken off)",
  ],
  ["a body until the end of the connection", "HTTP/1.1 200 OK\r\n\r\nall", "200 all"],
])("reads %s from a server that then closes", async (_, said, expected) => {
  const { url } = await serve(({ socket }) => socket.end(said));
  expect(await outcome(post(url))).toBe(expected);
});

it("takes a body until the connection's end for broken where the connection was reset", async () => {
  const { url } = await serve(({ socket }) => {
    socket.write("HTTP/1.1 200 OK\r\n\r\npart", () => socket.resetAndDestroy());
  });
  expect(await outcome(post(url))).not.toBe("200 part");
});

it("tells an address where nobody listens from a server that broke off", async () => {
  const server = createServer();
  const url = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  expect(await outcome(post(url))).toBe("unreachable");
});

it("sends what is streamed in chunks, and waits for a server that does not read", async () => {
  const piece = Buffer.alloc(256 * 1_024, "x");
  let given = 0;
  async function* pieces() {
    for (; given < 200; given += 1) yield piece;
  }
  let received = 0;
  let tail = "";
  const resume: (() => void)[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.pause();
    resume.push(() => socket.resume());
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      received += bytes.length;
      tail = (tail + bytes.toString("latin1")).slice(-5);
      if (tail === "0\r\n\r\n") socket.write(OK);
    });
  });
  servers.push(server);
  const url = await listening(server);
  const body: OutgoingBody = { kind: "streamed", length: undefined, chunks: pieces() };
  const answered = outcome(post(url, body, { "transfer-encoding": "chunked" }));
  const isStuck = async (): Promise<boolean> => {
    const before = given;
    for (let turn = 0; turn < 50; turn += 1) await new Promise((next) => setImmediate(next));
    return before > 0 && given === before;
  };
  while (!(await isStuck()));
  expect(given).toBeLessThan(150);
  for (const go of resume) go();
  expect(await answered).toBe("200 ok");
  expect(received).toBeGreaterThan(200 * piece.length);
});

it("takes a request back whose body turns out wrong", async () => {
  let seen = "";
  const closed = Promise.withResolvers<void>();
  const { url } = await serve(({ socket, text }) => {
    seen = text;
    socket.once("close", () => closed.resolve());
  });
  async function* wrong() {
    yield Buffer.from("beginning");
    await Promise.resolve();
    throw new Error("It is not what was signed.");
  }
  const body: OutgoingBody = { kind: "streamed", length: undefined, chunks: wrong() };
  expect(await outcome(post(url, body, { "transfer-encoding": "chunked" }))).toBe("body");
  await closed.promise;
  expect(seen).not.toContain("0\r\n\r\n");
});

it("never lets a body that is shorter than announced pass for whole", async () => {
  const { url } = await serve(() => {});
  async function* short() {
    yield Buffer.from("abc");
  }
  const body: OutgoingBody = { kind: "streamed", length: 4, chunks: short() };
  expect(await outcome(post(url, body, { "content-length": 4 }))).toBe("broke");
});

it("reads an answer that comes before the whole request, and does not use its connection again", async () => {
  const { url, connections } = await serve(({ socket }) => socket.write(OK));
  const never = Promise.withResolvers<void>();
  async function* stuck() {
    yield Buffer.from("abc");
    await never.promise;
    yield Buffer.from("d");
  }
  const body: OutgoingBody = { kind: "streamed", length: 4, chunks: stuck() };
  expect(await outcome(post(url, body, { "content-length": 4 }))).toBe("200 ok");
  expect(await outcome(post(url))).toBe("200 ok");
  expect(connections()).toBe(2);
  never.resolve();
});

it("ends at once when it is cut: before an answer, and in the middle of one", async () => {
  const { url } = await serve(({ socket, connection }) => {
    if (connection === 2) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\npart");
  });
  const first = post(url);
  while (sockets.length === 0) await new Promise((next) => setImmediate(next));
  first.cut();
  expect(await outcome(first)).toBe("cut");
  const second = post(url);
  const answer = await second.answer;
  const text = outcome(second);
  expect(answer.ok && (await answer.value.hasBegun())).toBe(true);
  second.cut();
  expect(await text).toBe("200 part (broken off)");
});

it("keeps the connection of a request that was cut before it was sent for the next one", async () => {
  const { url, connections } = await serve(({ socket }) => socket.write(OK));
  const first = post(url);
  first.cut();
  expect(await outcome(first)).toBe("cut");
  expect(await outcome(post(url))).toBe("200 ok");
  expect(connections()).toBe(1);
});

it("leaves the next request alone when one is cut that was answered before", async () => {
  const { url } = await serve(({ socket, text }) => {
    if (text.endsWith("{}")) socket.write(OK);
  });
  const first = post(url);
  expect(await outcome(first)).toBe("200 ok");
  const second = post(url);
  first.cut();
  expect(await outcome(second)).toBe("200 ok");
});

it.each([
  ["a header's value", { "x-a": "1\r\nx-b: 2" }],
  ["a header's name", { "x-a: 1\r\nx-b": "2" }],
])("sends nothing where a line break hides in %s", async (_, headers) => {
  const { url, connections } = await serve(({ socket }) => socket.write(OK));
  expect(() => post(url, JSON_BODY, headers)).toThrow("cannot be sent");
  expect(connections()).toBe(0);
});
