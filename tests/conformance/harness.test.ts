import { afterEach, describe, expect, inject, it, vi } from "vitest";
import { CASES_BY_AREA } from "./cases/all";
import { compareAnswers } from "./compare-answers";
import { type ConformanceCase, postJson, userSays } from "./conformance-case";
import { exchange, openExchange } from "./exchange";
import { BUFFERING, startStandInProxy, type StandInProxy, WRONG_ANSWERS } from "./stand-in-proxies";
import { TEXT_APIS } from "./text-apis";
import { VOLATILE, withoutVolatile } from "./volatile";

// The harness itself on trial: silent on a faithful proxy, loud on each fault that it is there to find.

const benches = inject("benches");
const proxies: StandInProxy[] = [];
const startProxy: typeof startStandInProxy = (...args) => {
  const proxy = startStandInProxy(...args);
  proxies.push(proxy);
  return proxy;
};

afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy.stop();
});

async function differences(
  { engine, request }: ConformanceCase,
  proxyUrl: string,
): Promise<string[]> {
  const { url, modelId } = benches[engine];
  const direct = await exchange(url, request(modelId));
  return compareAnswers(direct, await exchange(proxyUrl, request(modelId)));
}

describe.each(Object.entries(CASES_BY_AREA))("a faithful proxy passes: %s", (_, cases) => {
  it.each(cases)("$name", async (testCase) => {
    const proxy = startProxy(benches[testCase.engine].url);
    expect(await differences(testCase, proxy.url)).toEqual([]);
  });
});

const TELLING_CASES = new Set([
  "a chat answer",
  "a streamed chat answer with the usage chunk that was asked for",
  "a prompt longer than the context",
]);

describe("a proxy is caught that", () => {
  const cases = Object.values(CASES_BY_AREA)
    .flat()
    .filter(({ name }) => TELLING_CASES.has(name));

  it.each(Object.entries(WRONG_ANSWERS))("%s", async (_, change) => {
    const proxy = startProxy(benches.words.url, change);
    const found: string[] = [];
    for (const testCase of cases) found.push(...(await differences(testCase, proxy.url)));
    expect(found).not.toEqual([]);
  });

  it("waits for the whole stream before it passes it on", async () => {
    const api = TEXT_APIS[0]!;
    const { url, modelId } = benches.slow;
    const request = api.request(modelId, { prompt: "hello", maxTokens: 150, stream: true });
    const direct = openExchange(url, request);
    await direct.answer;
    const buffered = openExchange(startProxy(url, BUFFERING).url, request);
    await buffered.answer;
    expect(buffered.arrivals()).toBeLessThan(direct.arrivals() / 2);
  });
});

describe("what the comparison overlooks", () => {
  const request = postJson("/v1/chat/completions", {
    model: benches.words.modelId,
    messages: userSays("hello"),
    max_tokens: 5,
    temperature: 0,
    seed: 7,
  });
  const body = async (): Promise<string> =>
    (await exchange(benches.words.url, request)).body.toString();

  it.each(VOLATILE)("really differs between two runs of the engine: $name", async (rule) => {
    const others = VOLATILE.filter((other) => other !== rule);
    const first = await body();
    // Two runs may share a second, so the time of creation needs more than one try.
    await vi.waitFor(
      async () => {
        const second = await body();
        expect(withoutVolatile(second, others)).not.toBe(withoutVolatile(first, others));
        expect(withoutVolatile(second)).toBe(withoutVolatile(first));
      },
      { timeout: 60_000, interval: 50 },
    );
  });

  it("is the value alone: another type, another place or a changed id in mid-stream shows", () => {
    const id = (letter: string): string => `"id":"chatcmpl-${letter.repeat(32)}"`;
    const same = (a: string, b: string): boolean => withoutVolatile(a) === withoutVolatile(b);

    expect(same(`{"created":1795206120}`, `{"created":1795206121}`)).toBe(true);
    expect(same(`{"created":1795206120}`, `{"created":"1795206120"}`)).toBe(false);
    expect(same(`{"created":1795206120}`, `{"created": 1795206120}`)).toBe(false);
    expect(same(`{"created":1795206120}`, `{"created":0}`)).toBe(false);
    expect(same(`{"prompt_ms":0.963}`, `{"prompt_ms":1e-3}`)).toBe(true);
    expect(same(`{"prompt_ms":0.963}`, `{"prompt_ms":null}`)).toBe(false);
    expect(same(`${id("a")}\n${id("a")}`, `${id("b")}\n${id("b")}`)).toBe(true);
    expect(same(`${id("a")}\n${id("a")}`, `${id("a")}\n${id("b")}`)).toBe(false);
    expect(same(id("a"), id("a").replace("chatcmpl-", "resp_"))).toBe(false);
  });
});
