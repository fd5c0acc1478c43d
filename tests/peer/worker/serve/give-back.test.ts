import { expect, it } from "vitest";
import type { DemoEngine } from "#demo/engine/start";
import { demoModel } from "#demo/engine/settings";
import type { ModelRoute } from "#peer/engines/catalogue";
import { readModels, unloadModel } from "#peer/engines/read-models";
import type { Decision } from "#peer/lending/decide";
import { createGiveBack } from "#peer/worker/serve/give-back";
import { policyOf } from "#peer/lending/policy";
import { askWorker } from "#peer/control/ask";
import { detected, serving } from "../../engines/fixture-server";
import { VLLM } from "../../engines/recorded";
import { alwaysLending } from "../always-lending";
import { fakeClock } from "../fake-clock";
import { MODEL } from "../fake-network";
import { engine, startWorker } from "../worker-under-test";

const HELD: Decision = { lends: false, reason: "gpu_in_use", why: "x", againAtMs: undefined };
const LENDS: Decision = { lends: true, why: "x", untilMs: undefined };

async function setUp() {
  const clock = fakeClock();
  const cut: string[] = [];
  const unloaded: string[] = [];
  const drained = Promise.withResolvers<void>();
  const giveBack = createGiveBack({
    policy: { finishMs: 30_000, unloadAfterMs: 60_000 },
    clock,
    jobs: () => ({ cutAll: (by) => cut.push(by), drained: () => drained.promise }),
    unload: async ({ offer }) => offer.id !== "stubborn",
    onUnloaded: (id) => unloaded.push(id),
  });
  const target = await detected(serving(VLLM).url);
  const route = (id: string): ModelRoute => ({
    engine: target,
    offer: { id, engine: "vllm", state: "cold" },
  });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { clock, cut, unloaded, drained, giveBack, route, settled };
}

it("cuts what still runs when its time is over, and unloads later, once nothing runs", async () => {
  const { clock, cut, unloaded, drained, giveBack, route, settled } = await setUp();
  for (const id of ["a", "b", "a", "stubborn"]) giveBack.loads(route(id));
  giveBack.decided(HELD);
  clock.advance(20_000);
  giveBack.decided(HELD);
  clock.advance(9_999);
  expect(cut).toEqual([]);
  clock.advance(1);
  expect(cut).toEqual(["user_active"]);
  clock.advance(30_000);
  await settled();
  expect(unloaded).toEqual([]);
  drained.resolve();
  await settled();
  expect(unloaded).toEqual(["a", "b"]);
});

it("does neither when it lends again before, and unloads nothing twice", async () => {
  const { clock, cut, unloaded, drained, giveBack, route, settled } = await setUp();
  drained.resolve();
  giveBack.loads(route("a"));
  giveBack.decided(HELD);
  clock.advance(29_999);
  giveBack.decided(LENDS);
  clock.advance(100_000);
  await settled();
  expect([cut, unloaded]).toEqual([[], []]);
  for (let time = 0; time < 2; time++) {
    giveBack.decided(HELD);
    clock.advance(60_000);
    await settled();
    giveBack.decided(LENDS);
  }
  expect(unloaded).toEqual(["a"]);
});

it("stops in the middle when lending begins again", async () => {
  const { clock, unloaded, drained, giveBack, route, settled } = await setUp();
  giveBack.loads(route("a"));
  giveBack.decided(HELD);
  clock.advance(60_000);
  giveBack.decided(LENDS);
  drained.resolve();
  await settled();
  expect(unloaded).toEqual([]);
});

it.each(["ollama", "lmstudio", "llamacpp"] as const)(
  "unloads on %s what a lent request had loaded, and nothing else",
  async (voice) => {
    const models = [demoModel(MODEL, { loaded: false }), demoModel("theirs")];
    const demo: DemoEngine = engine({ voice, models, router: true });
    const policy = policyOf({ policy: "always", unload_after_seconds: 0 }, "UTC");
    const worker = await startWorker({ engines: [demo.url], lending: { policy } });
    await (await worker.post()).text();
    expect(await states(demo)).toEqual({ [MODEL]: "loaded", theirs: "loaded" });
    const { control } = alwaysLending(worker.home);
    await askWorker(control, { ask: "pause" });
    await worker.said.until((line) => line === `Unloaded ${MODEL}: its memory is free again.`);
    expect(await states(demo)).toEqual({ [MODEL]: "cold", theirs: "loaded" });
  },
);

async function states({ url }: DemoEngine): Promise<Record<string, string>> {
  const models = await readModels(await detected(url), new Map());
  if (!models.ok) throw new Error(models.reason);
  return Object.fromEntries(models.value.map(({ id, state }) => [id, state]));
}

it("says that an engine has no way, or no such model", async () => {
  expect(await unloadModel(await detected(engine({ voice: "vllm" }).url), MODEL)).toBe(false);
  for (const voice of ["ollama", "lmstudio", "llamacpp"] as const) {
    expect(await unloadModel(await detected(engine({ voice }).url), "none")).toBe(false);
  }
});
