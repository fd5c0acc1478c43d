import { expect, it } from "vitest";
import { createModels } from "#peer/client/app/model-list";
import { createLeases } from "#peer/client/leases/leases";
import { search } from "#peer/client/search";
import { OpenAiError } from "#protocol/openai-error";
import { underTest } from "./call/attempt-under-test";
import { MODEL, modelList } from "./client-under-test";

const never = () => new Promise<never>(() => {});

it.each([
  [true, 404, "model_not_found"],
  [false, 503, "coordinator_unreachable"],
])(
  "tells what it was that did not come in time (a model that was gone: %s)",
  async (wasGone, status, code) => {
    const { deps, request } = await underTest();
    const surroundings = { hasChosenNodes: false, overlayAddress: () => "" };
    const desk = {
      leases: createLeases({ authorize: never, extend: never }, Date.now),
      models: createModels(() => Promise.resolve(modelList(["other"])), { nowMs: Date.now }),
    };
    const untilMs = deps.acks.steadyMs() + 20;
    const searched = await search({ ...deps, surroundings }, desk, request, {
      attempts: 1,
      untilMs,
      wasGone,
    });
    const { outcome, freeInMs } = searched;
    if (!(outcome instanceof Response)) throw new Error("There is no node.");
    const { error } = OpenAiError.parse(await outcome.json());
    expect([outcome.status, error.code, freeInMs]).toEqual([status, code, undefined]);
    if (wasGone) expect(error.message).toContain(MODEL);
  },
);
