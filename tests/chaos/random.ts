/** A number from 0 to below 1, the same ones for the same seed (mulberry32). */
export type Random = () => number;

export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function between(random: Random, least: number, most: number): number {
  return Math.floor(least + random() * (most - least + 1));
}

export function oneOf<Value>(random: Random, values: readonly [Value, ...Value[]]): Value {
  return values[between(random, 0, values.length - 1)] ?? values[0];
}
