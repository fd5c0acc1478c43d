import { beforeEach, expect, inject, it, onTestFinished } from "vitest";
import { engineLogFromNow, tasksIn, untilEngineIdle } from "./engine-view";
import { openExchange } from "./exchange";
import { isComment, sseBlocks } from "./sse-blocks";
import { TEXT_APIS } from "./text-apis";

const { slow } = inject("benches");

beforeEach(() => untilEngineIdle(slow));

it.each(TEXT_APIS)(
  "words arrive one by one, while the engine is still at work: $name",
  async (api) => {
    const request = api.request(slow.modelId, { prompt: "hello", maxTokens: 150, stream: true });
    const direct = openExchange(slow.url, request);
    await direct.answer;
    await untilEngineIdle(slow);

    const log = await engineLogFromNow(slow);
    const proxied = openExchange(slow.proxiedUrl, request);
    await proxied.bodyReaches((body) => api.firstWord.test(body));
    expect(tasksIn(await log()).ended).toEqual([]);
    await proxied.answer;
    // Half, because neighbours in time may share a write when the machine is busy.
    expect(proxied.arrivals()).toBeGreaterThan(direct.arrivals() / 2);
  },
);

it.each(TEXT_APIS)(
  "signs of life arrive while the engine still reads the prompt: $name",
  async (api) => {
    const request = api.request(slow.modelId, {
      prompt: "word ".repeat(2_000),
      maxTokens: 1,
      stream: true,
    });
    const proxied = openExchange(slow.proxiedUrl, request);
    onTestFinished(proxied.abort);
    await proxied.bodyReaches((body) => sseBlocks(body).filter(isComment).length >= 2);
    await proxied.bodyReaches((body) => !api.firstWord.test(body));
  },
);
