import { z } from "zod";

/** A million to the credit; one credit is one second of the reference device. */
export const MICROCREDITS_PER_CREDIT = 1_000_000;

/** An amount of money: a whole number of microcredits, never negative, exact in JSON. */
export const Microcredits = z.int().nonnegative();
export type Microcredits = z.infer<typeof Microcredits>;

/** Microcredits for one second of a node: its multiplier times a million. */
export const Rate = z
  .int()
  .positive()
  .max(8 * MICROCREDITS_PER_CREDIT);
export type Rate = z.infer<typeof Rate>;

/** The rate of a node under a lease: 0 in a network that takes no credits. */
export const LeaseRate = z
  .int()
  .nonnegative()
  .max(8 * MICROCREDITS_PER_CREDIT);

/** Credits as an exact decimal string, for people; `-1.5` where it left an account. */
export const Credits = z.string().regex(/^-?\d+(\.\d{1,6})?$/);
export type Credits = z.infer<typeof Credits>;

const DECIMALS = 6;

/** `1234567` → `"1.234567"`: exact, without trailing zeros. Takes negative amounts, for statements. */
export function formatCredits(microcredits: number | bigint): string {
  const sign = microcredits < 0 ? "-" : "";
  // By its digits: every answer says what it cost, and big integers cost more than the rest of that.
  const digits = String(microcredits)
    .slice(sign.length)
    .padStart(DECIMALS + 1, "0");
  let end = digits.length;
  const point = end - DECIMALS;
  while (end > point && digits[end - 1] === "0") end -= 1;
  const decimals = end === point ? "" : `.${digits.slice(point, end)}`;
  return `${sign}${digits.slice(0, point)}${decimals}`;
}

/** What `engineMs` of a node at `rate` cost, rounded down: nobody pays for what did not run. */
export function chargeFor(engineMs: number, rate: Rate): Microcredits {
  return Number((BigInt(engineMs) * BigInt(rate)) / 1_000n);
}
