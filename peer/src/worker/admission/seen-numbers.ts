/** A set of counting numbers in bounded memory: what lies far behind the highest counts as seen. */
export type SeenNumbers = {
  /** False: it is in already. */
  add(number: number): boolean;
  remove(number: number): void;
};

/** Far more than a client has under way at once. */
const WINDOW = 16_384;

export function createSeenNumbers(window: number = WINDOW): SeenNumbers {
  const seen = new Set<number>();
  let highest = -1;

  /** Below it everything counts as seen. */
  const floor = (): number => highest - window + 1;

  return {
    add(number) {
      if (number < floor() || seen.has(number)) return false;
      seen.add(number);
      highest = Math.max(highest, number);
      if (seen.size > 2 * window) for (const old of seen) if (old < floor()) seen.delete(old);
      return true;
    },
    remove: (number) => void seen.delete(number),
  };
}
