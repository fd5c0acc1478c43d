/** A piece of an engine's answer that differs from run to run of the engine itself. */
export type VolatileRule = {
  readonly name: string;
  readonly pattern: RegExp;
  /** What stands in its place; `nthOf` numbers distinct texts in the order they appear. */
  readonly replace: (match: RegExpExecArray, nthOf: (text: string) => number) => string;
};

const NUMBER = String.raw`-?\d+(?:\.\d+)?(?:e[-+]?\d+)?`;

/**
 * Everything that two runs of llama-server may differ in; the rest is compared byte for byte. Names
 * and punctuation stay, and an id becomes its number of appearance, so that an id which changes in
 * the middle of a stream, or a value of another type, still shows.
 */
export const VOLATILE: readonly VolatileRule[] = [
  {
    name: "time of creation",
    pattern: /"(created|created_at|completed_at)":\d{10}(?=[,}])/g,
    replace: (match) => `"${match[1]}":<seconds>`,
  },
  {
    name: "random id",
    pattern: /"((?:[a-z]+[-_])?)([0-9A-Za-z]{32})"/g,
    replace: (match, nthOf) => `"${match[1]}<id ${nthOf(match[2] ?? "")}>"`,
  },
  {
    name: "measured time",
    pattern: new RegExp(
      `"((?:prompt|predicted)_(?:ms|per_token_ms|per_second))":${NUMBER}(?=[,}])`,
      "g",
    ),
    replace: (match) => `"${match[1]}":<number>`,
  },
];

/** The text with every volatile piece replaced. */
export function withoutVolatile(text: string, rules: readonly VolatileRule[] = VOLATILE): string {
  return rules.reduce((current, { pattern, replace }) => {
    const seen = new Map<string, number>();
    const nthOf = (piece: string): number => {
      const nth = seen.get(piece) ?? seen.size + 1;
      seen.set(piece, nth);
      return nth;
    };
    return replaceEach(current, pattern, (match) => replace(match, nthOf));
  }, text);
}

function replaceEach(
  text: string,
  pattern: RegExp,
  replace: (match: RegExpExecArray) => string,
): string {
  let result = "";
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    result += text.slice(end, match.index) + replace(match);
    end = match.index + match[0].length;
  }
  return result + text.slice(end);
}
