import { expect, it } from "vitest";
import { createEngineThere } from "#peer/engines/engine-there";
import { watchSilence } from "#peer/worker/serve/engine-silence";
import type { DetectedEngine } from "#peer/engines/detect";
import type { EngineHealth } from "#peer/engines/driver";
import { OpenAiError } from "#protocol/openai-error";
import { type FakeClock, fakeClock } from "../fake-clock";
import { watched } from "../fake-network";
import { scriptedEngine } from "../scripted-engine";
import { startWorker, type WorkerUnderTest } from "../worker-under-test";

const MINUTE_MS = 60_000;
const YEAR_S = 365 * 86_400;

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** It is not the budget that ends these, nor the ticket, however many minutes pass while an engine is asked. */
function endlessTicket(worker: WorkerUnderTest): Promise<string> {
  return worker.ticket({ budget: 2 ** 52, exp: Math.floor(Date.now() / 1_000) + 100 * YEAR_S });
}

/** Lets minutes pass until this is there; what is asked meanwhile gets its answer. */
async function passUntil<Value>(clock: FakeClock, coming: Promise<Value>): Promise<Value> {
  const settled = Promise.allSettled([coming]);
  while ((await Promise.race([settled, turn()])) === undefined) clock.advance(MINUTE_MS);
  return coming;
}

it("an engine that never answers, and is not there when it is asked, is left and the client told", async () => {
  const clock = fakeClock(Date.now());
  const asked = watched<true>();
  let isWell = true;
  const url = await scriptedEngine(
    () => asked.push(true),
    () => isWell,
  );
  const worker = await startWorker({ engines: [url], clock });
  const answer = worker.post({ ticket: await endlessTicket(worker) });
  await asked.until(() => true);
  isWell = false;
  expect((await passUntil(clock, answer)).status).toBe(504);
  expect(OpenAiError.parse(await (await answer).json()).error.code).toBe("engine_error");
  expect(await onlyOutcome(worker)).toBe("engine_error");
});

it("a stream whose engine is gone ends in an error that says so", async () => {
  const clock = fakeClock(Date.now());
  let isWell = true;
  const url = await scriptedEngine(
    (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write('data: {"choices":[]}\n\n');
    },
    () => isWell,
  );
  const worker = await startWorker({ engines: [url], clock });
  const answer = await worker.post({ ticket: await endlessTicket(worker) });
  expect(answer.status).toBe(200);
  const reader = (answer.body ?? expect.unreachable()).getReader();
  await reader.read();
  isWell = false;
  const rest = Buffer.from((await passUntil(clock, reader.read())).value ?? []).toString();
  expect(rest).toMatch(/"code":"stream_broken"\}\}\n\ndata: \[DONE\]\n\n$/);
  expect((await reader.read()).done).toBe(true);
  expect(await onlyOutcome(worker)).toBe("engine_error");
});

it("an engine that is there may take hours for its first word", async () => {
  const clock = fakeClock(Date.now());
  const asked = watched<() => void>();
  const url = await scriptedEngine((response) => {
    asked.push(() => response.end("{}"));
  });
  const worker = await startWorker({ engines: [url], clock });
  const answer = worker.post({ ticket: await endlessTicket(worker) });
  const say = await asked.until(() => true);
  for (let minutes = 0; minutes < 3 * 60; minutes++) {
    clock.advance(MINUTE_MS);
    await turn();
  }
  say();
  expect((await answer).status).toBe(200);
  expect(await onlyOutcome(worker)).toBe("completed");
});

/** A watch whose engine is or is not there, and the minutes at which it was asked. */
function underWatch() {
  const clock = fakeClock(0);
  const state = { isThere: false, asked: [] as number[], goneAt: [] as number[] };
  const minute = (): number => clock.steadyMs() / MINUTE_MS;
  const silence = watchSilence(
    clock,
    () => {
      state.asked.push(minute());
      return Promise.resolve(state.isThere);
    },
    () => state.goneAt.push(minute()),
  );
  async function pass(minutes: number): Promise<void> {
    for (let count = 0; count < minutes; count++) {
      clock.advance(MINUTE_MS);
      silence.look();
      await turn();
    }
  }
  return { clock, state, silence, pass };
}

it("asks after five minutes, then each minute, and believes six answers that do not come", async () => {
  const { state, pass } = underWatch();
  await pass(60);
  expect(state.asked).toEqual([5, 6, 7, 8, 9, 10]);
  expect(state.goneAt).toEqual([10]);
});

it("begins to count anew with each answer, and with each word of the engine", async () => {
  const { state, silence, pass } = underWatch();
  await pass(9);
  state.isThere = true;
  await pass(1);
  state.isThere = false;
  await pass(5);
  expect(state.goneAt).toEqual([]);
  silence.heard();
  silence.look();
  await pass(9);
  expect(state.goneAt).toEqual([]);
  await pass(1);
  expect(state.goneAt).toEqual([25]);
});

it("asks nothing while somebody else keeps the engine waiting, nor once the request is over", async () => {
  const { state, silence, pass } = underWatch();
  silence.pause();
  await pass(60);
  expect(state.asked).toEqual([]);
  silence.heard();
  silence.look();
  await pass(5);
  expect(state.asked).toEqual([65]);
  silence.stop();
  await pass(10);
  expect([state.asked, state.goneAt]).toEqual([[65], []]);
});

it("believes what an engine says while it is asked for the last time more than its silence to that", async () => {
  const { clock, state, silence, pass } = underWatch();
  await pass(9);
  clock.advance(MINUTE_MS);
  silence.look();
  silence.heard();
  await turn();
  expect([state.asked.length, state.goneAt]).toEqual([6, []]);
  await pass(9);
  expect(state.goneAt).toEqual([]);
  await pass(1);
  expect(state.goneAt).toEqual([20]);
});

it("asks once at a time, however long the answer takes", () => {
  const clock = fakeClock(0);
  let asked = 0;
  const never = (): Promise<boolean> => {
    asked += 1;
    return new Promise(() => {});
  };
  const silence = watchSilence(clock, never, () => expect.unreachable());
  for (let minute = 0; minute < 20; minute += 1) {
    clock.advance(MINUTE_MS);
    silence.look();
  }
  expect(asked).toBe(1);
});

it("is not told of an answer that comes when the request is over", async () => {
  const clock = fakeClock(0);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const silence = watchSilence(
    clock,
    () => promise,
    () => expect.unreachable(),
  );
  clock.advance(5 * MINUTE_MS);
  silence.look();
  silence.stop();
  resolve(false);
  await turn();
});

it.each([
  ["ok", true],
  ["loading", true],
  ["silent", false],
  ["down", false],
] as const)("an engine that is %s is there: %s; many ask once", async (health, isThere) => {
  const answers: ((health: EngineHealth) => void)[] = [];
  const there = createEngineThere(() => new Promise((resolve) => void answers.push(resolve)));
  const engine = { target: { rootUrl: "http://127.0.0.1:1" } } as DetectedEngine;
  const all = Promise.all([there(engine), there(engine), there(engine)]);
  for (const answer of answers.splice(0)) answer(health);
  expect(await all).toEqual([isThere, isThere, isThere]);
  void there(engine);
  expect(answers).toHaveLength(1);
});

async function onlyOutcome(worker: WorkerUnderTest): Promise<string | undefined> {
  await worker.stop();
  expect(worker.network.receipts.all).toHaveLength(1);
  return worker.network.receipts.all[0]?.outcome;
}
