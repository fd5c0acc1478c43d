import { expect, it } from "vitest";
import { CHAT, chatBody, engine, startWorker } from "./worker-under-test";

it.each([
  ["before the first token", { firstTokenMs: 60_000 }, chatBody()],
  ["in the middle of the stream", { tokensPerSecond: 20, tokensPerAnswer: 1_000 }, chatBody()],
  ["while it waits for a whole answer", { firstTokenMs: 60_000 }, chatBody({ stream: false })],
])(
  "the client leaving %s ends the engine's work, and what ran is told",
  async (_, settings, body) => {
    const demo = engine(settings);
    const worker = await startWorker({ engines: [demo.url] });
    const leaving = new AbortController();
    const answer = worker.post({ body, signal: leaving.signal });
    const entry = await demo.journal.until(({ path }) => path === CHAT);
    if ("tokensPerSecond" in settings) await (await answer).body?.getReader().read();
    await expect.poll(() => demo.load().busy).toBe(1);
    leaving.abort();
    await answer.catch(() => undefined);
    await demo.journal.until(({ seq, outcome }) => seq === entry.seq && outcome === "cancelled");
    expect(demo.load().busy).toBe(0);

    const receipt = await worker.network.receipts.until(() => true);
    expect(receipt.outcome).toBe("cancelled");
    expect(receipt.ttft_ms === undefined).toBe(!("tokensPerSecond" in settings));
  },
);

it("charges nothing for a client that left before the engine had its request", async () => {
  const demo = engine();
  const worker = await startWorker({ engines: [demo.url] });
  const leaving = new AbortController();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new Uint8Array(10));
      leaving.abort();
    },
  });
  await fetch(worker.ready.url + CHAT, { method: "POST", body, signal: leaving.signal }).catch(
    () => undefined,
  );
  await worker.stop();
  expect(worker.network.receipts.all).toEqual([]);
});
