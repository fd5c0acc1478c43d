import { describe, expect, inject, it } from "vitest";
import { CASES_BY_AREA } from "./cases/all";
import { compareAnswers } from "./compare-answers";
import { exchange } from "./exchange";

const benches = inject("benches");

describe.each(Object.entries(CASES_BY_AREA))("%s: the network changes nothing of", (_, cases) => {
  it.each(cases)("$name", async ({ engine, request, status, holds }) => {
    const { url, proxiedUrl, modelId } = benches[engine];

    const direct = await exchange(url, request(modelId));
    expect(direct.status).toBe(status);
    const text = direct.body.toString();
    expect(holds.filter((piece) => !text.includes(piece))).toEqual([]);

    const directAgain = await exchange(url, request(modelId));
    expect(compareAnswers(direct, directAgain)).toEqual([]);

    const proxied = await exchange(proxiedUrl, request(modelId));
    expect(compareAnswers(direct, proxied)).toEqual([]);
  });
});
