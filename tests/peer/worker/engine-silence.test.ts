import { expect, it } from "vitest";
import { ENGINE_SILENCE_MS, watchSilence } from "#peer/worker/engine-silence";
import { OpenAiError } from "#protocol/openai-error";
import { fakeClock } from "./fake-clock";
import { watched } from "./fake-network";
import { scriptedEngine } from "./scripted-engine";
import { startWorker, type WorkerUnderTest } from "./worker-under-test";

/** Enough for hours: it is not the budget that ends these. */
const BUDGET = 2 ** 40;

it("an engine that never answers is left after ten minutes, and the client is told", async () => {
  const clock = fakeClock(Date.now());
  const asked = watched<true>();
  const worker = await startWorker({
    engines: [await scriptedEngine(() => asked.push(true))],
    clock,
  });
  const answer = worker.post({ ticket: await worker.ticket({ budget: BUDGET }) });
  await asked.until(() => true);
  clock.advance(ENGINE_SILENCE_MS);
  expect((await answer).status).toBe(504);
  expect(OpenAiError.parse(await (await answer).json()).error.code).toBe("engine_error");
  expect(await onlyOutcome(worker)).toBe("engine_error");
});

it("a stream that stands still for ten minutes ends in an error that says so", async () => {
  const clock = fakeClock(Date.now());
  const url = await scriptedEngine((response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write('data: {"choices":[]}\n\n');
  });
  const worker = await startWorker({ engines: [url], clock });
  const answer = await worker.post({ ticket: await worker.ticket({ budget: BUDGET }) });
  expect(answer.status).toBe(200);
  const reader = (answer.body ?? expect.unreachable()).getReader();
  await reader.read();
  clock.advance(ENGINE_SILENCE_MS);
  const rest = Buffer.from((await reader.read()).value ?? []).toString();
  expect(rest).toMatch(/"code":"stream_broken"\}\}\n\ndata: \[DONE\]\n\n$/);
  expect((await reader.read()).done).toBe(true);
  expect(await onlyOutcome(worker)).toBe("engine_error");
});

it("counts from the last sign of life, and not while somebody else keeps the engine waiting", () => {
  const clock = fakeClock();
  let cuts = 0;
  const silence = watchSilence(clock, () => (cuts += 1));
  clock.advance(ENGINE_SILENCE_MS - 1);
  silence.heard();
  clock.advance(ENGINE_SILENCE_MS - 1);
  silence.pause();
  clock.advance(5 * ENGINE_SILENCE_MS);
  silence.heard();
  clock.advance(ENGINE_SILENCE_MS - 1);
  expect(cuts).toBe(0);
  clock.advance(1);
  expect(cuts).toBe(1);
  clock.advance(5 * ENGINE_SILENCE_MS);
  expect(cuts).toBe(1);
});

it("is over with the request", () => {
  const clock = fakeClock();
  const silence = watchSilence(clock, () => expect.unreachable());
  silence.stop();
  expect(clock.due).toEqual([]);
});

async function onlyOutcome(worker: WorkerUnderTest): Promise<string | undefined> {
  await worker.stop();
  expect(worker.network.receipts.all).toHaveLength(1);
  return worker.network.receipts.all[0]?.outcome;
}
