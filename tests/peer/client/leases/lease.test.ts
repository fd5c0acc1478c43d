import fc from "fast-check";
import { expect, it } from "vitest";
import { type Lease, openLease } from "#peer/client/leases/lease";
import { chargeFor } from "#protocol/microcredits";

function lease(nowMs: () => number, onUse?: () => Promise<void>): Lease {
  const granted = {
    ticket: "t",
    lease_id: crypto.randomUUID(),
    network: "public",
    model: "m",
    budget: 60_000_000,
    expires_at: 300,
    candidates: [],
  };
  return openLease("m", granted, nowMs, onUse);
}

it("numbers each request once", () => {
  const one = lease(() => 0);
  expect([one.nextSeq(), one.nextSeq(), one.nextSeq()]).toEqual([0, 1, 2]);
});

it("counts what ended and running requests cost, whatever their order", () => {
  const request = fc.record({
    rate: fc.integer({ min: 0, max: 8_000_000 }),
    startMs: fc.integer({ min: 0, max: 100_000 }),
    tookMs: fc.integer({ min: 0, max: 100_000 }),
  });
  fc.assert(
    fc.property(fc.array(request), fc.integer({ min: 0, max: 200_000 }), (requests, untilMs) => {
      let nowMs = 0;
      const one = lease(() => nowMs);
      const events = requests
        .flatMap(({ rate, startMs, tookMs }) => {
          let end = (): void => {};
          const begins = { atMs: startMs, run: () => (end = one.begin(rate)) };
          const ends = { atMs: startMs + tookMs, run: () => (end(), end()) };
          return [begins, ends];
        })
        .filter(({ atMs }) => atMs <= untilMs)
        .toSorted((a, b) => a.atMs - b.atMs);
      for (const event of events) {
        nowMs = event.atMs;
        event.run();
      }
      nowMs = untilMs;
      const expected = requests
        .filter(({ startMs }) => startMs <= untilMs)
        .map(({ rate, startMs, tookMs }) =>
          chargeFor(Math.min(tookMs, untilMs - startMs), rate || 0),
        )
        .reduce((sum, cost) => sum + cost, 0);
      expect(Math.abs(one.spent() - expected)).toBeLessThanOrEqual(requests.length + 1);
    }),
  );
});

it("never counts less than nothing, however the machine's clock is set", () => {
  const step = fc.record({
    nowMs: fc.integer({ min: -1_000_000, max: 1_000_000 }),
    rate: fc.integer({ min: 0, max: 8_000_000 }),
    isEnd: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      let nowMs = 0;
      const one = lease(() => nowMs);
      const ends: (() => void)[] = [];
      for (const { nowMs: next, rate, isEnd } of steps) {
        nowMs = next;
        if (isEnd) ends.pop()?.();
        else ends.push(one.begin(rate));
        expect(one.spent()).toBeGreaterThanOrEqual(0);
        expect(one.running()).toBe(ends.length);
      }
    }),
  );
});

it("counts a request that waits for a larger budget among those that run, once, until it has ended", async () => {
  const rate = 20_000_000;
  let extend = (): void => {};
  const one = lease(
    () => 0,
    () => new Promise<void>((extended) => (extend = extended)),
  );
  const ends = [await one.take(rate)];
  // The budget lasts two seconds for one at this rate, and not for two.
  const waiting = one.take(rate);
  expect([one.running(), one.burnRate()]).toEqual([1, 2 * rate]);
  one.renewed("larger", 200_000_000, 300_000);
  extend();
  ends.push(await waiting);
  expect([one.running(), one.burnRate()]).toEqual([2, 2 * rate]);
  for (const end of ends) end();
  expect([one.running(), one.burnRate()]).toEqual([0, 0]);
});
