import { expect, it, onTestFinished } from "vitest";
import { startTicker, type Ticker, wait } from "#demo/engine/ticker";

function ticking(): Ticker {
  const ticker = startTicker();
  onTestFinished(() => ticker.stop());
  return ticker;
}

it("runs many waits in the order of their times, none early, each once", async () => {
  const ticker = ticking();
  const startMs = performance.now();
  const runs: number[] = [];
  const early: number[] = [];
  const delays = Array.from({ length: 500 }, (_, at) => (at * 7_919) % 101);
  await Promise.all(
    delays.map(
      (delay) =>
        new Promise<void>((resolve) => {
          ticker.at(startMs + delay, () => {
            if (performance.now() < startMs + delay) early.push(delay);
            runs.push(Math.ceil((startMs + delay) / 2));
            resolve();
          });
        }),
    ),
  );
  expect(early).toEqual([]);
  expect(runs).toEqual(runs.toSorted((a, b) => a - b));
  expect(runs).toHaveLength(500);
});

it("does not run what was cancelled", async () => {
  const ticker = ticking();
  const runs: string[] = [];
  const dueMs = performance.now() + 5;
  ticker.at(dueMs, () => runs.push("cancelled"))();
  await new Promise<void>((resolve) => ticker.at(dueMs + 5, resolve));
  expect(runs).toEqual([]);
});

it("ends a wait at once when its signal aborts, even before it began", async () => {
  const ticker = ticking();
  const leave = new AbortController();
  const waiting = wait(ticker, 60_000, leave.signal);
  leave.abort();
  expect(await waiting).toBe(false);
  expect(await wait(ticker, 60_000, leave.signal)).toBe(false);
});
