import * as fc from "fast-check";
import { expect, it } from "vitest";
import {
  chargeFor,
  formatCredits,
  Microcredits,
  MICROCREDITS_PER_CREDIT,
  Rate,
} from "#protocol/microcredits";
import { Balance } from "#protocol/statement";
import { rate } from "./arbitraries";

/** Milliseconds whose charge is exact in JSON at any rate; a product of the two passes 2^53 by a factor of a thousand. */
const engineMs = fc.integer({ min: 0, max: Math.floor(Number.MAX_SAFE_INTEGER / 8_000) });

/** Reads decimal credits back, digit by digit, without a float. */
function microcreditsOf(text: string): bigint {
  const [, sign, whole, decimals = ""] = /^(-?)(\d+)(?:\.(\d{1,6}))?$/.exec(text) ?? [];
  if (whole === undefined) throw new Error(`not credits: ${text}`);
  return BigInt(`${sign}${whole}${decimals.padEnd(6, "0")}`);
}

it("an amount as people read it is exact and can be read back, however large", () => {
  fc.assert(
    fc.property(fc.bigInt(), (amount) => {
      expect(microcreditsOf(formatCredits(amount))).toBe(amount);
    }),
  );
});

it("an amount has one way to be written: no trailing zeros, no zeros in front", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 13n), max: 10n ** 13n }), (amount) => {
      expect(formatCredits(amount)).toMatch(/^(0|-?[1-9]\d*|-?(0|[1-9]\d*)\.\d{0,5}[1-9])$/);
    }),
  );
});

it("numbers and big integers are written alike, and a balance takes what is written", () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (amount) => {
      const text = formatCredits(amount);
      expect(text).toBe(formatCredits(BigInt(amount)));
      expect(Balance.shape.available.parse(text)).toBe(text);
    }),
  );
});

it("a charge is the whole microcredits of what ran: never one more, never one less", () => {
  fc.assert(
    fc.property(engineMs, rate, (ms, rate) => {
      const ran = BigInt(ms) * BigInt(rate);
      const charge = BigInt(Microcredits.parse(chargeFor(ms, rate)));
      expect(charge * 1_000n <= ran).toBe(true);
      expect((charge + 1n) * 1_000n > ran).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

it("more time or a higher rate never costs less", () => {
  fc.assert(
    fc.property(engineMs, engineMs, rate, rate, (msA, msB, rateA, rateB) => {
      const [short, long] = [Math.min(msA, msB), Math.max(msA, msB)];
      const [low, high] = [Math.min(rateA, rateB), Math.max(rateA, rateB)];
      expect(chargeFor(short, rateA)).toBeLessThanOrEqual(chargeFor(long, rateA));
      expect(chargeFor(short, low)).toBeLessThanOrEqual(chargeFor(short, high));
    }),
  );
});

it("a request cut in two never costs more than in one, and at most a microcredit less", () => {
  const half = engineMs.map((ms) => Math.floor(ms / 2));
  fc.assert(
    fc.property(half, half, rate, (msA, msB, rate) => {
      const apart = chargeFor(msA, rate) + chargeFor(msB, rate);
      const whole = chargeFor(msA + msB, rate);
      expect(whole - apart).toBeGreaterThanOrEqual(0);
      expect(whole - apart).toBeLessThanOrEqual(1);
    }),
  );
});

it("a second at any rate costs the rate", () => {
  fc.assert(
    fc.property(rate, (rate) => {
      expect(chargeFor(1_000, rate)).toBe(rate);
    }),
  );
});

it("an amount is a whole number, never negative, exact in JSON", () => {
  for (const amount of [0, 1, Number.MAX_SAFE_INTEGER])
    expect(Microcredits.parse(amount)).toBe(amount);
  for (const amount of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, "1", 1n, null]) {
    expect(Microcredits.safeParse(amount).success).toBe(false);
  }
});

it("a rate lies between a microcredit and eight credits a second", () => {
  for (const value of [1, 8 * MICROCREDITS_PER_CREDIT]) expect(Rate.parse(value)).toBe(value);
  for (const value of [0, -1, 1.5, 8 * MICROCREDITS_PER_CREDIT + 1, "1", null]) {
    expect(Rate.safeParse(value).success).toBe(false);
  }
});
