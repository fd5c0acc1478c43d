import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { scheduleMaintenance } from "#self-host/pglite-maintenance";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const MINUTE_MS = 60_000;

it("writes the log back every minute and vacuums every hour, but not a database that nobody uses", () => {
  const done: string[] = [];
  const maintenance = scheduleMaintenance({
    run: async (statement) => void done.push(statement),
    onError: () => undefined,
  });
  vi.advanceTimersByTime(2 * MINUTE_MS);
  expect(done).toEqual([]);

  maintenance.noteUse();
  vi.advanceTimersByTime(2 * MINUTE_MS);
  expect(done).toEqual(["CHECKPOINT"]);
  vi.advanceTimersByTime(60 * MINUTE_MS);
  expect(done).toEqual(["CHECKPOINT", "VACUUM (ANALYZE)"]);

  maintenance.noteUse();
  maintenance.stop();
  vi.advanceTimersByTime(120 * MINUTE_MS);
  expect(done).toHaveLength(2);
});

it("reports a failure and tries again", async () => {
  const errors: unknown[] = [];
  const failure = new Error("disk full");
  const maintenance = scheduleMaintenance({
    run: () => Promise.reject(failure),
    onError: (error) => errors.push(error),
  });
  for (const _ of ["first", "second"]) {
    maintenance.noteUse();
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
  }
  expect(errors).toEqual([failure, failure]);
  maintenance.stop();
});
