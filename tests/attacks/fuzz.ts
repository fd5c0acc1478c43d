import fc from "fast-check";

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
