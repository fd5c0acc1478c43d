import { expect, it } from "vitest";
import { stopBetween } from "#peer/hardware/stop-between";

it("stops at once, but within something whole only after it, also where that fails", async () => {
  const atOnce = new AbortController();
  const free = stopBetween(atOnce.signal);
  atOnce.abort();
  expect(free.signal.aborted).toBe(true);

  for (const end of [() => "done", () => Promise.reject(new RangeError("broken"))]) {
    const outer = new AbortController();
    const stop = stopBetween(outer.signal);
    const work = stop.whole(async () => {
      outer.abort();
      expect(stop.signal.aborted).toBe(false);
      return end();
    });
    await work.catch((error: unknown) => expect(error).toBeInstanceOf(RangeError));
    expect(stop.signal.aborted).toBe(true);
  }
});

it("begins nothing whole once it is stopped, also before it began", async () => {
  const stop = stopBetween(AbortSignal.abort());
  expect(stop.signal.aborted).toBe(true);
  await expect(stop.whole(async () => "done")).rejects.toMatchObject({ name: "ProofYielded" });
});

it("listens no more after its end", () => {
  const outer = new AbortController();
  const stop = stopBetween(outer.signal);
  stop.end();
  outer.abort();
  expect(stop.signal.aborted).toBe(false);
});
