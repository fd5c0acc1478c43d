import { describe, expect, it, onTestFinished } from "vitest";
import { type DemoModel, demoModel, type VoiceName } from "#demo/engine/settings";
import { type DemoEngine, startDemoEngine } from "#demo/engine/start";
import { engineCandidates } from "#peer/engines/engine-env";
import { type EngineWatch, type WatchClock, watchEngines } from "#peer/engines/watch";

/** A clock that stands still; `tick` runs what is due and waits for what it set going. */
function handClock(): WatchClock & { pending: () => number; tick: (ms: number) => void } {
  let nowMs = 0;
  let timers: { dueMs: number; run: () => void }[] = [];
  return {
    nowMs: () => nowMs,
    after(ms, run) {
      const timer = { dueMs: nowMs + ms, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((each) => each !== timer);
      };
    },
    pending: () => timers.length,
    tick(ms) {
      nowMs += ms;
      const due = timers.filter(({ dueMs }) => dueMs <= nowMs);
      timers = timers.filter(({ dueMs }) => dueMs > nowMs);
      for (const { run } of due) run();
    },
  };
}

type Watched = {
  watch: EngineWatch;
  clock: ReturnType<typeof handClock>;
  changes: string[][];
  /** Lets time pass and waits until the look that this started is over. */
  pass: (ms: number) => Promise<void>;
};

async function watching(urls: readonly string[], refreshMs = 180_000): Promise<Watched> {
  const clock = handClock();
  const changes: string[][] = [];
  const watch = await watchEngines({
    candidates: engineCandidates(urls, {}).candidates,
    refreshMs,
    onChange: ({ offers }) => changes.push(offers.map(({ id, engine }) => `${engine} ${id}`)),
    clock,
  });
  onTestFinished(() => watch.stop());
  const pass = async (ms: number): Promise<void> => {
    clock.tick(ms);
    await watch.settled();
  };
  return { watch, clock, changes, pass };
}

function demo(voice: VoiceName, ids: readonly string[], port = 0): DemoEngine {
  const engine = startDemoEngine({ voice, models: ids.map((id) => demoModel(id)), port });
  onTestFinished(() => engine.close());
  return engine;
}

const loaded = (ids: readonly string[]): DemoModel[] => ids.map((id) => demoModel(id));

it("knows what is there when it begins, without calling that a change", async () => {
  const { watch, changes } = await watching([demo("vllm", ["a"]).url, demo("ollama", ["b:1"]).url]);
  expect(watch.catalogue().offers.map(({ id }) => id)).toEqual(["a", "b:1"]);
  expect(watch.engines().map(({ kind }) => kind)).toEqual(["vllm", "ollama"]);
  expect(changes).toEqual([]);
});

it("reads models anew on the interval, and tells only when something changed", async () => {
  const engine = demo("ollama", ["a:1"]);
  const { pass, changes } = await watching([engine.url], 60_000);
  await pass(60_000);
  expect(changes).toEqual([]);
  engine.setModels(loaded(["a:1", "b:1"]));
  await pass(5_000);
  expect(changes).toEqual([]);
  await pass(55_000);
  expect(changes).toEqual([["ollama a:1", "ollama b:1"]]);
});

it("is not moved by facts that engines change at every call", async () => {
  const { pass, changes } = await watching(
    [demo("vllm", ["a"]).url, demo("llamacpp", ["b"]).url],
    10,
  );
  await pass(10);
  await pass(10);
  expect(changes).toEqual([]);
});

describe("an engine that goes", () => {
  it("has its models withdrawn with the next poll, and offered again when it is back", async () => {
    const engine = demo("ollama", ["a:1"]);
    const { watch, pass, changes } = await watching([engine.url]);
    await engine.close();
    await pass(5_000);
    expect(watch.catalogue().resolve("a:1")).toBeNull();
    expect(watch.missing()).toMatchObject([{ reason: "unreachable" }]);

    demo("ollama", ["a:1"], engine.port);
    await pass(5_000);
    expect(changes).toEqual([[], ["ollama a:1"]]);
    expect(watch.missing()).toEqual([]);
  });

  it("has its models withdrawn at once when a request failed and says so", async () => {
    const engine = demo("vllm", ["a"]);
    const { watch, changes } = await watching([engine.url]);
    await engine.close();
    await watch.refreshNow();
    expect(changes).toEqual([[]]);
  });

  it("leaves its model to the next engine that has it", async () => {
    const first = demo("vllm", ["m"]);
    const second = demo("lmstudio", ["m"]);
    const { watch, pass, changes } = await watching([second.url, first.url]);
    expect(watch.catalogue().resolve("m")?.engine.kind).toBe("vllm");
    await first.close();
    await pass(5_000);
    expect(changes).toEqual([["lmstudio m"]]);
  });

  it.each([
    ["ollama", "llamacpp"],
    // LM Studio answers 200 where vLLM tells its health.
    ["vllm", "lmstudio"],
    ["llamacpp", "vllm"],
    ["lmstudio", "ollama"],
  ] as const)("may be replaced at its address: %s by %s", async (before, after) => {
    const engine = demo(before, ["a"]);
    const { watch, pass } = await watching([engine.url]);
    await engine.close();
    demo(after, ["b"], engine.port);
    await pass(5_000);
    expect(watch.engines().map(({ kind }) => kind)).toEqual([after]);
    expect(watch.catalogue().offers.map(({ id }) => id)).toEqual(["b"]);
  });
});

it("notices with a refresh that a better known engine took a generic one's place", async () => {
  const engine = demo("plain", ["a"]);
  const { watch, pass } = await watching([engine.url], 60_000);
  await engine.close();
  demo("vllm", ["a"], engine.port);
  await pass(60_000);
  expect(watch.engines().map(({ kind }) => kind)).toEqual(["vllm"]);
});

it("finds an engine that starts later", async () => {
  const engine = demo("vllm", ["a"]);
  await engine.close();
  const { pass, changes } = await watching([engine.url]);
  demo("vllm", ["a"], engine.port);
  await pass(5_000);
  expect(changes).toEqual([["vllm a"]]);
});

it("offers llama.cpp's models only when it has loaded", async () => {
  const engine = startDemoEngine({ voice: "llamacpp", health: "loading", models: loaded(["a"]) });
  onTestFinished(() => engine.close());
  const { watch, pass, changes } = await watching([engine.url]);
  expect(watch.engines().map(({ kind }) => kind)).toEqual(["llamacpp"]);
  expect(watch.catalogue()).toMatchObject({ offers: [], loading: [] });

  engine.configure({ health: "ok" });
  await pass(5_000);
  expect(watch.catalogue().loading).toEqual([]);
  engine.configure({ health: "loading" });
  await pass(5_000);
  await pass(5_000);
  expect(changes).toEqual([["llamacpp a"], []]);
  // It comes back, which is another thing than having none.
  expect(watch.catalogue().loading).toEqual(["a"]);
  await engine.close();
  await pass(5_000);
  expect(watch.catalogue().loading).toEqual([]);
});

it("leaves a server that is no engine in peace between refreshes", async () => {
  let asked = 0;
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch() {
      asked += 1;
      return new Response("hi");
    },
  });
  onTestFinished(() => server.stop(true));
  const { pass, watch } = await watching([`127.0.0.1:${server.port}`], 60_000);
  const atFirst = asked;
  await pass(5_000);
  await pass(5_000);
  expect(asked).toBe(atFirst);
  await pass(50_000);
  expect(asked).toBe(2 * atFirst);
  expect(watch.missing()).toMatchObject([{ reason: "unknown" }]);
});

it("forgives one poll without an answer in time, and no second", async () => {
  const server = silenceable();
  const { pass, changes } = await watching([server.url]);
  server.isSilent = true;
  await pass(5_000);
  expect(changes).toEqual([]);
  await pass(5_000);
  expect(changes).toEqual([[]]);
  server.isSilent = false;
  await pass(5_000);
  expect(changes).toEqual([[], ["openai a"]]);
});

describe("refreshNow", () => {
  it("looks anew after a look that is under way, once for all who ask meanwhile", async () => {
    const engine = demo("ollama", ["a:1"]);
    const { watch, changes } = await watching([engine.url]);
    engine.journal.clear();
    const one = watch.refreshNow();
    engine.setModels(loaded(["a:1", "b:1"]));
    await Promise.all([one, watch.refreshNow(), watch.refreshNow(), watch.refreshNow()]);
    expect(changes.at(-1)).toEqual(["ollama a:1", "ollama b:1"]);
    const listings = engine.journal.entries().filter(({ path }) => path === "/api/tags");
    expect(listings).toHaveLength(2);
  });
});

describe("stop", () => {
  it("leaves no timer and tells nothing more", async () => {
    const engine = demo("plain", ["a"]);
    const { watch, clock, changes } = await watching([engine.url]);
    expect(clock.pending()).toBe(1);
    await watch.stop();
    expect(clock.pending()).toBe(0);
    await engine.close();
    await watch.refreshNow();
    expect(changes).toEqual([]);
    expect(clock.pending()).toBe(0);
  });

  it("ends a look under way at once, without withdrawing what it could not see", async () => {
    const server = silenceable();
    const { watch, clock, pass, changes } = await watching([server.url]);
    server.isSilent = true;
    await pass(5_000);
    clock.tick(5_000);
    await watch.stop();
    expect(changes).toEqual([]);
    expect(watch.catalogue().offers.map(({ id }) => id)).toEqual(["a"]);
    expect(clock.pending()).toBe(0);
  });
});

/** An engine that can be made to accept connections and say nothing. */
function silenceable(): { readonly url: string; isSilent: boolean } {
  const state = { url: "", isSilent: false };
  const listing = { object: "list", data: [{ id: "a" }] };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ url }) => {
      if (state.isSilent) return new Promise<Response>(() => {});
      const isListing = url.endsWith("/v1/models");
      return isListing ? Response.json(listing) : new Response("", { status: 404 });
    },
  });
  onTestFinished(() => server.stop(true));
  state.url = `http://127.0.0.1:${server.port}`;
  return state;
}
