import { describe, expect, it } from "vitest";
import type { DemoEngine } from "#demo/engine/start";
import { HELLO, post, running } from "./running-engine";

const CHAT = "/v1/chat/completions";
const SLOW = { tokensPerSecond: 5 };

describe("a client that leaves", () => {
  it.each([
    ["before the first token of a stream", { firstTokenMs: 60_000 }, true],
    ["before an answer that is not streamed", { firstTokenMs: 60_000 }, false],
    ["while an answer that is not streamed is made", SLOW, false],
  ] as const)("%s ends the work and frees the slot", async (_when, settings, stream) => {
    const engine = running({ voice: "llamacpp", ...settings });
    const leave = new AbortController();
    const asking = post(engine, CHAT, { messages: HELLO, stream }, { signal: leave.signal });
    const gone = expect(asking).rejects.toThrow("abort");
    await busy(engine.url, 1);

    leave.abort();
    await gone;
    const entry = await engine.journal.until(({ outcome }) => outcome === "cancelled");
    expect(entry).toMatchObject({ path: CHAT, tokens: 0 });
    await busy(engine.url, 0);
  });

  it("in the middle of a stream ends the work and frees the slot", async () => {
    const engine = running({ voice: "llamacpp", tokensPerSecond: 100, tokensPerAnswer: 10_000 });
    const leave = new AbortController();
    const ask = { messages: HELLO, stream: true };
    const answer = await post(engine, CHAT, ask, { signal: leave.signal });
    await answer.body?.getReader().read();
    await busy(engine.url, 1);

    leave.abort();
    const entry = await engine.journal.until(({ outcome }) => outcome === "cancelled");
    const made = entry.tokens;
    expect(made).toBeGreaterThan(0);
    await busy(engine.url, 0);
    // Another stream takes its time, in which the first one makes no more tokens.
    await (await post(engine, CHAT, { ...ask, max_tokens: 10 })).text();
    expect(entry.tokens).toBe(made);
  });

  it("while it waits for a slot leaves the others in their places", async () => {
    const engine = running({ voice: "ollama", slots: 1, queueLimit: 2 });
    const endFirst = await holdSlot(engine);
    const leave = new AbortController();
    const second = post(engine, CHAT, { messages: HELLO }, { signal: leave.signal });
    const gone = expect(second).rejects.toThrow("abort");
    await loaded(engine, { busy: 1, waiting: 1 });
    const third = post(engine, CHAT, { messages: HELLO });
    await loaded(engine, { busy: 1, waiting: 2 });

    leave.abort();
    await gone;
    await loaded(engine, { busy: 1, waiting: 1 });
    endFirst();
    expect((await third).status).toBe(200);
  });
});

describe("with all slots taken", () => {
  it.each([
    ["ollama", { error: { message: expect.stringMatching(/^server busy, please try again/) } }],
    ["vllm", { error: { code: 503 } }],
    ["lmstudio", { error: { type: "invalid_request_error" } }],
    ["llamacpp", { error: { code: 503, type: "unavailable_error" } }],
  ] as const)("%s refuses one more in its own shape", async (voice, shape) => {
    const engine = running({ voice, slots: 1, firstTokenMs: 60_000 });
    void post(engine, CHAT, { messages: HELLO }).catch(() => "ends with the engine");
    await loaded(engine, { busy: 1, waiting: 0 });
    const refused = await post(engine, CHAT, { messages: HELLO });
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject(shape);
  });

  it("a free slot serves who waited longest", async () => {
    const engine = running({ voice: "plain", slots: 1, queueLimit: 8 });
    const endFirst = await holdSlot(engine);
    const asks: Promise<unknown>[] = [];
    for (const content of ["a", "b", "c"]) {
      asks.push(post(engine, CHAT, { messages: [{ role: "user", content }] }));
      await loaded(engine, { busy: 1, waiting: asks.length });
    }
    const served: number[] = [];
    for (const seq of [1, 2, 3]) {
      const inference = engine.journal.entries().filter(({ method }) => method === "POST")[seq];
      void engine.journal
        .until((entry) => entry === inference && entry.outcome === "completed")
        .then(() => served.push(seq));
    }
    endFirst();
    await Promise.all(asks);
    expect(served).toEqual([1, 2, 3]);
    await loaded(engine, { busy: 0, waiting: 0 });
  });
});

it("keeps the pace it was given", async () => {
  const engine = running({ voice: "plain", tokensPerSecond: 200, firstTokenMs: 20 });
  const startMs = performance.now();
  const ask = { messages: HELLO, stream: true, max_tokens: 21 };
  await (await post(engine, CHAT, ask)).text();
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(115);
});

it("serves 500 paced streams at once, each whole", async () => {
  const engine = running({ voice: "vllm", slots: 500, tokensPerSecond: 100, deterministic: true });
  const ask = { messages: HELLO, stream: true, max_tokens: 20 };
  const expected = await (await post(engine, CHAT, ask)).text();
  const all = await Promise.all(
    Array.from({ length: 500 }, async () => (await post(engine, CHAT, ask)).text()),
  );
  expect(new Set(all)).toEqual(new Set([expected]));
});

/** Asks llama.cpp's `/slots` until as many are in use. */
async function busy(url: string, count: number): Promise<void> {
  await until(
    async () => (await (await fetch(`${url}/slots`)).json()) as { is_processing: boolean }[],
    (slots) => slots.filter((slot) => slot.is_processing).length === count,
  );
}

/** Takes a slot with a stream that stalls; the result lets go of it. */
async function holdSlot(engine: DemoEngine): Promise<() => void> {
  const leave = new AbortController();
  const init = { headers: { "x-demo-fault": "stall; after=1" }, signal: leave.signal };
  await post(engine, CHAT, { messages: HELLO, stream: true }, init);
  return () => leave.abort();
}

/** Asks the engine something else until its load is this. */
async function loaded(engine: DemoEngine, load: { busy: number; waiting: number }): Promise<void> {
  await until(
    async () => {
      await (await fetch(`${engine.url}/v1/models`)).text();
      return engine.load();
    },
    ({ busy, waiting }) => busy === load.busy && waiting === load.waiting,
  );
}

/** The test's own time limit ends a condition that never comes. */
async function until<Value>(
  look: () => Promise<Value>,
  fits: (value: Value) => boolean,
): Promise<Value> {
  for (;;) {
    const value = await look();
    if (fits(value)) return value;
  }
}
