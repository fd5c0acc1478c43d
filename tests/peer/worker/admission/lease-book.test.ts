import { expect, it } from "vitest";
import { createLeaseBook, GRACE_MS, type LeaseTerms } from "#peer/worker/admission/lease-book";
import { fakeClock } from "../fake-clock";

const CREDIT = 1_000_000;

function terms(more: Partial<LeaseTerms> = {}): LeaseTerms {
  return {
    leaseId: "lease-1",
    budget: 10 * CREDIT,
    rate: CREDIT,
    expiresAtS: Date.UTC(2030, 0, 1) / 1_000 + 300,
    isFree: false,
    ...more,
  };
}

it("takes a number once, and again if the request came to nothing", () => {
  const lease = createLeaseBook(fakeClock()).account(terms());
  expect(lease.claim(7)).toBe(true);
  expect(lease.claim(7)).toBe(false);
  lease.unclaim(7);
  expect(lease.claim(7)).toBe(true);
  expect(lease.claim(6)).toBe(true);
});

it("ends what runs a moment after the budget ended, in which a larger ticket may come", () => {
  const clock = fakeClock();
  const lease = createLeaseBook(clock).account(terms());
  let endings = 0;
  lease.charge(() => (endings += 1));
  clock.advance(9_999 + GRACE_MS);
  expect(endings).toBe(0);
  clock.advance(1);
  expect(endings).toBe(1);
  expect(lease.hasBudget()).toBe(false);
});

it("lets requests of one lease use it up together, those that ended included", () => {
  const clock = fakeClock();
  const lease = createLeaseBook(clock).account(terms());
  const ended: string[] = [];
  const end = lease.charge(() => ended.push("a"));
  clock.advance(4_000);
  end();
  lease.charge(() => ended.push("b"));
  lease.charge(() => ended.push("c"));
  clock.advance(2_999 + GRACE_MS);
  expect(lease.hasBudget()).toBe(true);
  expect(ended).toEqual([]);
  clock.advance(1);
  expect(ended).toEqual(["b", "c"]);
});

it("goes on where a later ticket of the lease brings more, and never falls back to less", () => {
  const clock = fakeClock();
  const book = createLeaseBook(clock);
  const lease = book.account(terms());
  let endings = 0;
  lease.charge(() => (endings += 1));
  clock.advance(8_000);
  book.account(terms({ budget: 20 * CREDIT }));
  book.account(terms());
  clock.advance(11_999 + GRACE_MS);
  expect(endings).toBe(0);
  clock.advance(1);
  expect(endings).toBe(1);
});

it("charges nothing on a node of the payer's own", () => {
  const clock = fakeClock();
  const lease = createLeaseBook(clock).account(terms({ isFree: true, budget: 1 }));
  lease.charge(() => expect.unreachable());
  clock.advance(3_600_000);
  expect(lease.hasBudget()).toBe(true);
});

it("forgets a lease some time after its last ticket, but never while a request runs", () => {
  const clock = fakeClock();
  const book = createLeaseBook(clock);
  const end = book.account(terms({ isFree: true })).charge(() => {});
  clock.advance(3_600_000);
  book.account(terms({ leaseId: "lease-2" }));
  expect(book.size).toBe(2);
  end();
  clock.advance(60_000);
  book.account(terms({ leaseId: "lease-3", expiresAtS: Number.MAX_SAFE_INTEGER }));
  expect(book.size).toBe(1);
});

it("lends no more than that moment, however often requests begin and end meanwhile", () => {
  const clock = fakeClock();
  const lease = createLeaseBook(clock).account(terms());
  let endings = 0;
  const stop = lease.charge(() => {
    endings += 1;
    stop();
  });
  clock.advance(10_000);
  for (let turn = 0; turn < 20; turn++) {
    const end = lease.charge(() => {});
    clock.advance(100);
    end();
  }
  expect(endings).toBe(1);
});

it("takes nothing new where nothing is left and nothing runs", () => {
  const clock = fakeClock();
  const lease = createLeaseBook(clock).account(terms());
  const end = lease.charge(() => {});
  clock.advance(10_000);
  end();
  expect(lease.hasBudget()).toBe(false);
});

it("lends a tiny lease no more than it holds, however many requests run under it", () => {
  const clock = fakeClock();
  const lease = createLeaseBook(clock).account(terms({ budget: 1_000 }));
  const ended: string[] = [];
  for (const name of ["a", "b"]) lease.charge(() => ended.push(name));
  clock.advance(1);
  expect(ended).toEqual(["a", "b"]);
});

it("ends what runs a minute before the hold goes back to the payer, unless a later ticket comes", () => {
  const clock = fakeClock();
  const book = createLeaseBook(clock);
  const rich = { budget: 1_000_000 * CREDIT };
  let endings = 0;
  book.account(terms(rich)).charge(() => (endings += 1));
  clock.advance(800_000);
  book.account(terms({ ...rich, expiresAtS: terms().expiresAtS + 300 }));
  clock.advance((300 + 300 + 600 - 60) * 1_000 - 800_000 - 1);
  expect(endings).toBe(0);
  clock.advance(1);
  expect(endings).toBe(1);
});

it("moves its timer a few times while hundreds of requests come and go, and still ends the last in time", () => {
  const clock = fakeClock();
  let armed = 0;
  const counted = {
    ...clock,
    after: (ms: number, run: () => void) => {
      armed += 1;
      return clock.after(ms, run);
    },
  };
  const lease = createLeaseBook(counted).account(terms({ budget: 100 * CREDIT }));
  let endings = 0;
  for (let each = 0; each < 300; each += 1) {
    const ends = [1, 2, 3].map(() => lease.charge(() => (endings += 1)));
    clock.advance(100);
    for (const end of ends) end();
  }
  expect(armed).toBeLessThan(10);
  lease.charge(() => (endings += 1));
  clock.advance(9_999 + GRACE_MS);
  expect(endings).toBe(0);
  clock.advance(1);
  expect(endings).toBe(1);
});

it("ends nothing of a lease that a later ticket has made free", () => {
  const clock = fakeClock();
  const book = createLeaseBook(clock);
  book.account(terms()).charge(() => expect.unreachable());
  book.account(terms({ isFree: true }));
  clock.advance(3_600_000);
});
