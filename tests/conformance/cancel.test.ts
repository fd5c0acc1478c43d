import { beforeEach, describe, expect, inject, it, onTestFinished, vi } from "vitest";
import { compareAnswers } from "./compare-answers";
import {
  CANCELLED,
  engineLogFromNow,
  forgetRequests,
  isEngineIdle,
  postsAtEngine,
  tasksIn,
  untilEngineIdle,
} from "./engine-view";
import {
  exchange,
  type Exchange,
  type HttpAnswer,
  type HttpRequest,
  openExchange,
} from "./exchange";
import { isComment, sseBlocks } from "./sse-blocks";
import { TEXT_APIS, type TextApi, type TextOptions } from "./text-apis";

const { slow } = inject("benches");

/**
 * The network's part: from the app's leaving to the end of the connection to the engine. The engine's own part, which is a
 * second where it has to look for clients that left, and longer on a busy machine, is what it took without the network.
 */
const NETWORK_MS = 1_000;
const WAIT = { timeout: 60_000, interval: 10 };
const directlyMs = new Map<string, number>();

type Window = {
  readonly name: string;
  readonly options: TextOptions;
  /** Resolves inside the window. */
  readonly reached: (running: Exchange, log: () => Promise<string>, api: TextApi) => Promise<void>;
};

async function engineStarted(_: Exchange, log: () => Promise<string>): Promise<void> {
  await vi.waitFor(async () => expect(tasksIn(await log()).started).toHaveLength(1), WAIT);
}

/** An exchange that ends with its test even if that fails half-way. */
function openForTest(url: string, request: HttpRequest): Exchange {
  const running = openExchange(url, request);
  onTestFinished(running.abort);
  return running;
}

/** But for the engine's pings, of which there are more where a busy machine makes it slower. */
function compareWords(expected: HttpAnswer, actual: HttpAnswer): string[] {
  const words = (answer: HttpAnswer): HttpAnswer => {
    const blocks = sseBlocks(answer.body.toString("latin1"));
    const text = blocks.filter((block) => !isComment(block)).join("");
    return { ...answer, body: Buffer.from(text, "latin1") };
  };
  return compareAnswers(words(expected), words(actual));
}

beforeEach(() => untilEngineIdle(slow));

const WINDOWS: readonly Window[] = [
  {
    name: "before the first token",
    // A minute of reading for this engine.
    options: { prompt: "word ".repeat(2_000), maxTokens: 50, stream: true },
    reached: engineStarted,
  },
  {
    name: "in mid-stream",
    options: { prompt: "hello", maxTokens: 4_000, stream: true },
    reached: (running, _, api) => running.bodyReaches((body) => api.firstWord.test(body)),
  },
  {
    name: "while an unstreamed answer is made",
    options: { prompt: "hello", maxTokens: 4_000, stream: false },
    reached: engineStarted,
  },
];

describe.each([
  { route: "directly", url: slow.url },
  { route: "through the network", url: slow.proxiedUrl },
])("an app $route that leaves", ({ url }) => {
  describe.each(WINDOWS)("$name", ({ name, options, reached }) => {
    it.each(TEXT_APIS)("stops the engine: $name", async (api) => {
      await forgetRequests(slow);
      const log = await engineLogFromNow(slow);
      const running = openForTest(url, api.request(slow.modelId, options));
      await reached(running, log, api);
      expect(tasksIn(await log()).ended).toEqual([]);

      const leftAtMs = Date.now();
      running.abort();
      await vi.waitFor(async () => expect(tasksIn(await log()).ended).toHaveLength(1), WAIT);
      const stoppedMs = Date.now() - leftAtMs;

      expect(await log()).toMatch(CANCELLED);
      expect(await isEngineIdle(slow)).toBe(true);
      const posts = await postsAtEngine(slow);
      for (const { closedAtMs } of posts) expect(closedAtMs).not.toBeNull();
      const what = `${name} ${api.name}`;
      if (url === slow.url) {
        directlyMs.set(what, stoppedMs);
        return;
      }
      const limitMs = NETWORK_MS + 2 * (directlyMs.get(what) ?? NETWORK_MS);
      expect(stoppedMs).toBeLessThan(limitMs);
      for (const { closedAtMs } of posts) {
        expect((closedAtMs ?? Infinity) - leftAtMs).toBeLessThan(limitMs);
      }
    });
  });

  it.each(TEXT_APIS)("does not disturb the next request: $name", async (api) => {
    const next = api.request(slow.modelId, { prompt: "hello", maxTokens: 20, stream: true });
    const before = await exchange(slow.url, next);

    const running = openForTest(url, api.request(slow.modelId, WINDOWS[1]!.options));
    await running.bodyReaches((body) => api.firstWord.test(body));
    running.abort();

    const after = await vi.waitFor(async () => {
      const answer = await exchange(url, next);
      expect(answer.status).toBe(200);
      return answer;
    }, WAIT);
    expect(compareWords(before, after)).toEqual([]);
  });

  it("while it waits for another's answer leaves no work behind", async () => {
    const [api] = TEXT_APIS;
    const request = api!.request(slow.modelId, { prompt: "hello", maxTokens: 300, stream: true });
    const log = await engineLogFromNow(slow);
    const first = openForTest(url, request);
    await first.bodyReaches((body) => api!.firstWord.test(body));
    const second = openForTest(url, request);
    await first.bodyReaches((body) => body.split("data: ").length > 50);
    second.abort();
    await first.answer;
    await untilEngineIdle(slow);
    // Each task that was begun has ended, and the one that was left never made a word.
    const { started } = await vi.waitFor(async () => {
      const tasks = tasksIn(await log());
      expect(tasks.ended).toEqual(tasks.started);
      return tasks;
    }, WAIT);
    if (url === slow.proxiedUrl) expect(started).toHaveLength(1);
  });

  it("while it waits for another's answer does not end that one", async () => {
    const [api] = TEXT_APIS;
    const request = api!.request(slow.modelId, { prompt: "hello", maxTokens: 300, stream: true });
    const alone = await exchange(slow.url, request);

    const first = openForTest(url, request);
    await first.bodyReaches((body) => api!.firstWord.test(body));
    const second = openForTest(url, request);
    // It may be refused at once or wait; either way it is gone half-way through the first answer.
    await first.bodyReaches((body) => body.length > alone.body.length / 2);
    second.abort();

    expect(compareWords(alone, await first.answer)).toEqual([]);
  });
});

it("a request waits for its turn where the only place is taken, and is answered then", async () => {
  const [api] = TEXT_APIS;
  // Few words: it waits for half a minute and no longer.
  const request = api!.request(slow.modelId, { prompt: "hello", maxTokens: 60, stream: true });
  const alone = await exchange(slow.url, request);
  await untilEngineIdle(slow);

  const first = openForTest(slow.proxiedUrl, request);
  await first.bodyReaches((body) => api!.firstWord.test(body));
  const second = exchange(slow.proxiedUrl, request);
  expect(compareWords(alone, await first.answer)).toEqual([]);
  expect(compareWords(alone, await second)).toEqual([]);
});
