import { beforeEach, expect, inject, it, onTestFinished, vi } from "vitest";
import { z } from "zod";
import { textOfStream } from "#support/last-words";
import { compareAnswers } from "./compare-answers";
import { cutConnections, forgetRequests, postsAtEngine, untilEngineIdle } from "./engine-view";
import { answerHeader, exchange, openExchange } from "./exchange";
import { TEXT_APIS } from "./text-apis";

const { slow } = inject("benches");
const ErrorBody = z.object({ error: z.object({ message: z.string(), type: z.string() }) });
const WAIT = { timeout: 60_000, interval: 50 };

beforeEach(() => untilEngineIdle(slow));

it.each(TEXT_APIS)(
  "a stream that breaks after 200 ends as an error of its API: $name",
  async (api) => {
    const running = openExchange(
      slow.proxiedUrl,
      api.request(slow.modelId, { prompt: "hello", maxTokens: 4_000, stream: true }),
    );
    onTestFinished(running.abort);
    await running.bodyReaches((body) => api.firstWord.test(body));
    await cutConnections(slow);

    const answer = await running.answer;
    expect(answer.status).toBe(200);
    expect(textOfStream(answer.body.toString())).toMatch(api.brokenEnd);
  },
);

it.each(TEXT_APIS)(
  "an engine that dies before it answers is an error in JSON: $name",
  async (api) => {
    await forgetRequests(slow);
    const running = openExchange(
      slow.proxiedUrl,
      api.request(slow.modelId, { prompt: "hello", maxTokens: 4_000, stream: false }),
    );
    onTestFinished(running.abort);
    await vi.waitFor(async () => expect(await postsAtEngine(slow)).toHaveLength(1), WAIT);
    await cutConnections(slow);

    const answer = await running.answer;
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(answerHeader(answer, "content-type")).toMatch(/^application\/json/);
    expect(ErrorBody.parse(JSON.parse(answer.body.toString())).error.message).not.toBe("");
  },
);

it("an engine that is back is used again", async () => {
  const request = TEXT_APIS[0]!.request(slow.modelId, {
    prompt: "hello",
    maxTokens: 10,
    stream: false,
  });
  const direct = await exchange(slow.url, request);
  await cutConnections(slow);
  const proxied = await vi.waitFor(async () => {
    const answer = await exchange(slow.proxiedUrl, request);
    expect(answer.status).toBe(200);
    return answer;
  }, WAIT);
  expect(compareAnswers(direct, proxied)).toEqual([]);
});
