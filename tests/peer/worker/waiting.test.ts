import { expect, it } from "vitest";
import { refusalAnswer } from "#peer/worker/admission/refusals";
import { OpenAiError } from "#protocol/openai-error";
import { fakeClock } from "./fake-clock";
import { MODEL } from "./fake-network";
import { CHAT, chatBody, engine, startWorker, type WorkerUnderTest } from "./worker-under-test";

const OTHER_USER = `usr_${"2".repeat(26)}`;

/** A worker with one place, and a request that keeps it until it is left. */
async function startFull(options: { readonly queue?: number; readonly drainMs?: number } = {}) {
  const demo = engine({ firstTokenMs: 60_000 });
  const worker = await startWorker({ engines: [demo.url], concurrency: 1, ...options });
  const leaving = new AbortController();
  const running = worker.post({ body: chatBody({ stream: false }), signal: leaving.signal });
  const leave = async (): Promise<void> => {
    leaving.abort();
    await running.catch(() => undefined);
  };
  await demo.journal.until(({ path }) => path === CHAT);
  return { demo, worker, running, leave };
}

/** Heartbeats tell how many wait; `until` sees it in the next one, so the worker is asked itself. */
async function untilRefusedAt(worker: WorkerUnderTest, position: string): Promise<void> {
  await expect
    .poll(async () => (await worker.post()).headers.get("troop-queue-position"), {
      timeout: 20_000,
    })
    .toBe(position);
}

async function isOver(work: Promise<unknown>): Promise<boolean> {
  let isOver = false;
  const over = (): void => void (isOver = true);
  work.then(over, over);
  await new Promise<void>((next) => void setImmediate(next));
  return isOver;
}

function postsOf({ journal }: ReturnType<typeof engine>): number {
  return journal.entries().filter(({ path }) => path === CHAT).length;
}

it("a full node tells a client that would not wait how many are before it, and for how long about", async () => {
  const { worker, leave } = await startFull();
  const refused = await worker.post();
  expect(refused.status).toBe(503);
  expect(Object.fromEntries(refused.headers)).toMatchObject({
    "troop-refusal": "node_busy",
    "troop-busy": "busy",
    "troop-queue-position": "1",
    "troop-queue-wait-ms": "1000",
    "retry-after": "1",
  });
  await leave();
});

it("a request that would wait is served when a place is free, and its wait is not charged", async () => {
  const { demo, worker, leave } = await startFull();
  const waiting = worker.post({ waitMs: 30_000 });
  await untilRefusedAt(worker, "2");
  expect(postsOf(demo)).toBe(1);
  demo.configure({ firstTokenMs: 0 });
  await leave();
  const answer = await waiting;
  expect(answer.status).toBe(200);
  expect(await answer.text()).toMatch(/data: \[DONE\]\n\n$/);
  const receipt = await worker.network.receipts.until(({ outcome }) => outcome === "completed");
  expect(receipt.queue_ms).toBeGreaterThan(0);
  expect(worker.network.receipts.all).toHaveLength(2);
});

it("a client that leaves the line is forgotten, and nobody else is disturbed", async () => {
  const { demo, worker, running, leave } = await startFull();
  const giving = new AbortController();
  const ticket = await worker.ticket({ sub: OTHER_USER });
  const given = worker
    .post({ waitMs: 30_000, signal: giving.signal })
    .catch((error: unknown) => error);
  await untilRefusedAt(worker, "2");
  const next = worker.post({ waitMs: 30_000, ticket });
  await untilRefusedAt(worker, "3");

  giving.abort();
  expect(await given).toBeInstanceOf(Error);
  await untilRefusedAt(worker, "2");
  expect(demo.load().busy).toBe(1);
  expect(await isOver(running)).toBe(false);

  demo.configure({ firstTokenMs: 0 });
  await leave();
  expect(await (await next).text()).toMatch(/data: \[DONE\]\n\n$/);
  // The engine never heard of who left, and nothing is claimed for it.
  expect(postsOf(demo)).toBe(2);
  await worker.network.receipts.until(({ outcome }) => outcome === "completed");
  expect(worker.network.receipts.all).toHaveLength(2);
});

it("a request that waited in vain may come again with its number", async () => {
  const { demo, worker, leave } = await startFull();
  const ticket = await worker.ticket();
  const late = await worker.post({ ticket, seq: 7, waitMs: 50 });
  expect([late.status, late.headers.get("troop-busy")]).toEqual([503, "busy"]);
  demo.configure({ firstTokenMs: 0 });
  await leave();
  const again = await worker.post({ ticket, seq: 7, waitMs: 30_000 });
  expect(again.status).toBe(200);
  await again.text();
});

it("a request whose lease was spent while it waited is told so, and leaves its place to the next", async () => {
  const demo = engine({ firstTokenMs: 60_000 });
  const clock = fakeClock(Date.now());
  const worker = await startWorker({ engines: [demo.url], concurrency: 1, clock });
  // Two seconds of this node.
  const ticket = await worker.ticket({ budget: 2_000_000 });
  const running = worker.post({ ticket });
  await expect.poll(() => demo.load().busy).toBe(1);
  const waiting = worker.post({ ticket, waitMs: 30_000 });
  await untilRefusedAt(worker, "2");
  demo.configure({ firstTokenMs: 0 });
  clock.advance(3_001);
  expect((await running).status).toBe(402);
  expect((await waiting).status).toBe(402);
  const next = await worker.post();
  expect(next.status).toBe(200);
  await next.text();
  expect(postsOf(demo)).toBe(2);
});

it("no busy node keeps a client away for longer than a minute", () => {
  const { headers } = refusalAnswer("busy", { position: 9, waitMs: 999_999 });
  expect([headers.get("retry-after"), headers.get("troop-queue-wait-ms")]).toEqual([
    "60",
    "999999",
  ]);
});

it("nobody waits at a node that was started without a line", async () => {
  const { worker, leave } = await startFull({ queue: 0 });
  expect((await worker.post({ waitMs: 30_000 })).status).toBe(503);
  await leave();
});

it("a node that stops sends away who waits and lets run what runs", async () => {
  const { demo, worker, running } = await startFull();
  const waiting = worker.post({ waitMs: 30_000 });
  await untilRefusedAt(worker, "2");
  const stopped = worker.stop();
  const refused = await waiting;
  expect([refused.status, refused.headers.get("troop-busy")]).toEqual([503, "draining"]);
  expect(OpenAiError.parse(await refused.json()).error.code).toBe("node_busy");
  expect(await isOver(stopped)).toBe(false);
  // Its engine would need a minute.
  await demo.close();
  expect((await running).status).toBe(502);
  await stopped;
});

it("what does not end within the time for it is cut, and told so", async () => {
  const { worker, running } = await startFull({ drainMs: 20 });
  await worker.stop();
  const cut = await running;
  expect([cut.status, cut.headers.get("troop-busy")]).toEqual([503, "draining"]);
  expect(worker.network.receipts.all.map(({ outcome }) => outcome)).toEqual(["engine_error"]);
});

it("a node whose engine loads its model says so instead of that it has none", async () => {
  const demo = engine({ voice: "llamacpp" });
  const worker = await startWorker({ engines: [demo.url] });
  const [model] = demo.models().map(({ id }) => id);
  expect(model).not.toBe(MODEL);
  const ticket = await worker.ticket({ model: model ?? "" });
  demo.configure({ health: "loading" });
  await worker.network.heartbeats.until(({ withdrawn }) => withdrawn.includes(model ?? ""));
  const refused = await worker.post({ ticket, body: chatBody({ model }) });
  expect(Object.fromEntries(refused.headers)).toMatchObject({
    "troop-busy": "model_loading",
    "retry-after": "5",
  });
});
