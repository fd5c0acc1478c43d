import { connect, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { atPace, BODY_GRACE_MS, BodyTooSlow, inTime } from "#peer/worker/serve/body-pace";
import { OpenAiError } from "#protocol/openai-error";
import { SEALED_PATH } from "#protocol/sealed-message";
import { type FakeClock, fakeClock } from "../fake-clock";
import { engine, sealedPost, startWorker } from "../worker-under-test";

const SLOW = [
  ["small", 1_000, 10],
  ["large", 1_000_000, 300_000],
  ["chunked", undefined, 300_000],
] as const;

it.each(SLOW)(
  "a %s body that dribbles is refused, and its place is free at once",
  async (_, length, first) => {
    const clock = fakeClock(Date.now());
    const worker = await startWorker({ engines: [engine().url], concurrency: 1, clock });
    const timers = clock.due.length;
    const sealed = await sealedPost(worker, { body: "x".repeat(length ?? 1_000_000) }, 100);
    const socket = openRequest(worker.ready.url, {
      ...sealed.headers,
      ...(length === undefined
        ? { "transfer-encoding": "chunked" }
        : { "content-length": String(sealed.body.length) }),
    });
    if (length === undefined) socket.write("f4240\r\n");
    socket.write(sealed.body.subarray(0, first));
    let sent = first;
    const answered = textOf(socket);
    // It has been let in.
    await expect.poll(() => clock.due.length).toBeGreaterThan(timers);
    await passTime(clock, answered, () => socket.write(sealed.body.subarray(sent, (sent += 1))));
    const text = await answered;
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    const { error } = OpenAiError.parse(JSON.parse(text.slice(text.indexOf("\r\n\r\n"))));
    expect(error.code).toBe("invalid_request");
    const next = await worker.post({ nowMs: clock.wallMs() });
    expect(next.status).toBe(200);
    await next.text();
    await worker.stop();
    expect(worker.network.receipts.all).toHaveLength(1);
  },
);

it("a large body may take as long as 32 KiB a second take, and no longer", async () => {
  const clock = fakeClock();
  const { pieces, send } = body(clock);
  for (let second = 0; second < 100; second++) {
    const piece = pieces.next();
    clock.advance(1_000);
    send(32 * 1_024);
    expect((await piece).value).toHaveLength(32 * 1_024);
  }
  const last = pieces.next();
  clock.advance(BODY_GRACE_MS - 1);
  send(1);
  expect((await last).value).toHaveLength(1);
  const never = pieces.next();
  clock.advance(2);
  await expect(never).rejects.toThrow(BodyTooSlow);
});

it("time in which nobody reads the body is not its sender's", async () => {
  const clock = fakeClock();
  const { pieces, send } = body(clock);
  for (let each = 0; each < 3; each++) {
    send(1);
    await pieces.next();
    clock.advance(BODY_GRACE_MS * 10);
  }
  send(1);
  expect((await pieces.next()).value).toHaveLength(1);
});

it("no haste in the beginning pays for more than a minute of nothing", async () => {
  const clock = fakeClock();
  const { pieces, send } = body(clock);
  send(100_000_000);
  await pieces.next();
  const never = pieces.next();
  clock.advance(60_000);
  await expect(never).rejects.toThrow(BodyTooSlow);
});

it("leaves no timer behind", async () => {
  const clock = fakeClock();
  await inTime(clock, 5, Promise.resolve());
  await expect(inTime(clock, 5, Promise.reject(new Error("broke")))).rejects.toThrow("broke");
  expect(clock.due).toEqual([]);
});

function body(clock: FakeClock) {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const send = (bytes: number): void => {
    writer.write(new Uint8Array(bytes)).catch(() => {});
  };
  return { pieces: atPace(clock, readable), send };
}

function openRequest(url: string, headers: Record<string, string>): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  const lines = Object.entries({ host: "x", ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  socket.write(`POST ${SEALED_PATH} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
  return socket;
}

/** Everything that comes until the other side closes. */
async function textOf(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (data) => (text += data.toString()));
  await new Promise((resolve) => {
    socket.once("close", resolve);
    socket.once("end", resolve);
    socket.on("error", resolve);
  });
  return text;
}

/** Seconds pass until `done`; `each` happens in all of them. */
async function passTime(clock: FakeClock, done: Promise<unknown>, each: () => void): Promise<void> {
  let isDone = false;
  void done.finally(() => (isDone = true));
  const pass = (): boolean => {
    if (isDone) return true;
    clock.advance(1_000);
    each();
    return false;
  };
  await expect.poll(pass, { interval: 20, timeout: 4_000 }).toBe(true);
}
