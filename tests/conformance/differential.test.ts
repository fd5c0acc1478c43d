import { describe, expect, inject, it } from "vitest";
import { OpenAiError } from "#protocol/openai-error";
import { CASES_BY_AREA } from "./cases/all";
import { compareAnswers } from "./compare-answers";
import { answerHeader, exchange } from "./exchange";

const benches = inject("benches");

describe.each(Object.entries(CASES_BY_AREA))("%s: the network changes nothing of", (_, cases) => {
  it.each(cases)("$name", async ({ engine, request, status, holds, isWordless }) => {
    const { url, proxiedUrl, modelId } = benches[engine];

    const direct = await exchange(url, request(modelId));
    expect(direct.status).toBe(status);
    const text = direct.body.toString();
    expect(holds.filter((piece) => !text.includes(piece))).toEqual([]);

    const directAgain = await exchange(url, request(modelId));
    expect(compareAnswers(direct, directAgain)).toEqual([]);

    const proxied = await exchange(proxiedUrl, request(modelId));
    if (isWordless !== true) {
      expect(compareAnswers(direct, proxied)).toEqual([]);
      return;
    }
    expect(direct.body.toString()).not.toMatch(/"error"/);
    expect([proxied.status, answerHeader(proxied, "content-type")]).toEqual([
      status,
      "application/json",
    ]);
    OpenAiError.parse(JSON.parse(proxied.body.toString()));
  });
});
