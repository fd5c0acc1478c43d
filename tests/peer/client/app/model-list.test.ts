import { expect, it } from "vitest";
import { createModels } from "#peer/client/app/model-list";
import type { ModelList } from "#protocol/directory";
import { modelList } from "../client-under-test";

/** A list whose coordinator, clock and patience the test holds. */
function underTest(first: readonly string[]) {
  const state = { nowMs: 0, ids: first, calls: 0, isAway: false };
  const waits: PromiseWithResolvers<void>[] = [];
  let gate: Promise<void> = Promise.resolve();
  const models = createModels(
    async (): Promise<ModelList> => {
      state.calls += 1;
      await gate;
      if (state.isAway) throw new Error("away");
      return modelList(state.ids);
    },
    {
      nowMs: () => state.nowMs,
      wait: () => {
        const wait = Promise.withResolvers<void>();
        waits.push(wait);
        return wait.promise;
      },
    },
  );
  return {
    state,
    models,
    waits,
    hang: () => {
      gate = new Promise<void>(() => {});
    },
  };
}

it("asks once for requests that come at the same time, and not again while the list is fresh", async () => {
  const { models, state } = underTest(["a"]);
  await Promise.all([models.list(), models.list(), models.has("a")]);
  await models.list();
  expect(state.calls).toBe(1);
});

it("shows a change as soon as the coordinator tells of it", async () => {
  const { models, state } = underTest(["a"]);
  await models.list();
  Object.assign(state, { ids: ["a", "b"], nowMs: 16_000 });
  expect(await models.list()).toEqual(modelList(["a", "b"]));
});

it("shows what it knows where the coordinator is slow", async () => {
  const { models, state, waits, hang } = underTest(["a"]);
  await models.list();
  hang();
  state.nowMs = 16_000;
  const listed = models.list();
  await Promise.resolve();
  waits[0]?.resolve();
  expect(await listed).toEqual(modelList(["a"]));
});

it("shows no list older than an hour", async () => {
  const { models, state } = underTest(["a"]);
  await models.list();
  Object.assign(state, { isAway: true, nowMs: 3_600_001 });
  await expect(models.list()).rejects.toThrow("away");
});

it("knows a model at once, and looks once before it denies one", async () => {
  const { models, state } = underTest(["a"]);
  await models.list();
  Object.assign(state, { ids: ["a", "b"], nowMs: 1_000 });
  expect(await models.has("a")).toBe(true);
  expect(state.calls).toBe(1);
  expect(await models.has("b")).toBe(true);
  expect(await models.has("c")).toBe(false);
  expect(await models.has("d")).toBe(false);
  expect(state.calls).toBe(2);
});

it("does not deny a model while nobody can be asked", async () => {
  const { models, state } = underTest(["a"]);
  await models.list();
  Object.assign(state, { isAway: true, nowMs: 1_000 });
  expect(await models.has("b")).toBeUndefined();
});
