import type { VectorCase, VectorFile } from "./vector-case";

export function microcreditsVectors(): VectorFile {
  return {
    about:
      "Money. A charge is engine milliseconds times the rate (microcredits a second) over 1000, rounded down; amounts as people read them are exact.",
    cases: [
      charge("nothing ran", 0, 1_000_000, 0),
      charge("a second of the reference device is a credit", 1_000, 1_000_000, 1_000_000),
      charge("a millisecond of the reference device", 1, 1_000_000, 1_000),
      charge("a millisecond at the least rate rounds down to nothing", 1, 1, 0),
      charge("999 milliseconds at the least rate round down to nothing", 999, 1, 0),
      charge("a second at the least rate", 1_000, 1, 1),
      charge("1999 milliseconds at the least rate round down", 1_999, 1, 1),
      charge("a third of a credit and a bit rounds down", 333, 1_234_567, 411_110),
      charge("a second at the highest rate", 1_000, 8_000_000, 8_000_000),
      charge("a day at the highest rate", 86_400_000, 8_000_000, 691_200_000_000),
      // The product passes 2^53: floats come to 9007201958298, which is more than what ran.
      charge("a product that floats would round up", 1_125_900_667, 7_999_997, 9_007_201_958_297),
      charge("near the largest exact amount", 1_125_899_906_842, 7_999_999, 9_007_198_128_836_093),
      format("nothing", "0", "0"),
      format("the smallest amount", "1", "0.000001"),
      format("a tenth", "100000", "0.1"),
      format("just under a credit", "999999", "0.999999"),
      format("a credit", "1000000", "1"),
      format("no trailing zeros", "1500000", "1.5"),
      format("six decimals", "1234567", "1.234567"),
      format("zeros inside", "1000001", "1.000001"),
      format("whole tens keep their zeros", "60000000", "60"),
      format("a debt", "-1500000", "-1.5"),
      format("the smallest debt", "-1", "-0.000001"),
      format("the largest exact amount", "9007199254740991", "9007199254.740991"),
      format("beyond what a float holds", "9007199254740993", "9007199254.740993"),
      format(
        "a sum over all users",
        "123456789012345678901234567890",
        "123456789012345678901234.56789",
      ),
    ],
  };
}

function charge(name: string, engineMs: number, rate: number, expect: number): VectorCase {
  return { name: `charge: ${name}`, op: "charge", input: { engine_ms: engineMs, rate }, expect };
}

function format(name: string, microcredits: string, expect: string): VectorCase {
  return { name: `format: ${name}`, op: "format_credits", input: { microcredits }, expect };
}
