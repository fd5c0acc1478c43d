import fc from "fast-check";
import type { Bytes } from "#peer/http/answer-parser";

/** Inputs for each parser: few in `npm test`, 100,000 by `npm run test:fuzz`. */
export const RUNS = Number(process.env["FUZZ_RUNS"] ?? 200);
export const LIMIT_MS = Math.max(60_000, RUNS * 30);

export const text = fc.string({ unit: "binary", maxLength: 300 });

/** Something that has the look of a token, of whatever bytes. */
export const token = fc
  .tuple(
    fc.oneof(
      fc.jsonValue().map((value) => JSON.stringify(value)),
      text,
    ),
    text,
    fc.uint8Array({ maxLength: 80 }),
  )
  .map(([header, payload, signature]) =>
    [header, payload, signature].map((part) => Buffer.from(part).toString("base64url")).join("."),
  );

export const bytes = fc.uint8Array({ maxLength: 120 });
export const cuts = fc.array(fc.nat({ max: 2_000 }), { maxLength: 6 });

/** The same bytes, cut at these places. */
export function cutAt(whole: Uint8Array, places: readonly number[]): Bytes[] {
  const ends = [...places.filter((at) => at < whole.length), whole.length];
  let from = 0;
  return ends
    .toSorted((a, b) => a - b)
    .map((end) => {
      const piece = Buffer.from(whole.subarray(from, end));
      from = end;
      return piece;
    });
}

export function forAll<Value>(values: fc.Arbitrary<Value>, holds: (value: Value) => void): void {
  fc.assert(fc.property(values, holds), { numRuns: RUNS });
}

export function forEach<Value>(
  values: fc.Arbitrary<Value>,
  holds: (value: Value) => Promise<void>,
): Promise<void> {
  return fc.assert(fc.asyncProperty(values, holds), { numRuns: RUNS });
}
