/** One of those with the least value, at random. */
export function least<Value>(
  values: readonly Value[],
  of: (value: Value) => number,
  random: () => number,
): Value | undefined {
  let best: Value | undefined;
  let bestOf = Infinity;
  let asGood = 0;
  for (const value of values) {
    const own = of(value);
    if (own > bestOf) continue;
    asGood = own < bestOf ? 1 : asGood + 1;
    bestOf = own;
    // Each of those that are as good has the same chance.
    if (asGood === 1 || random() * asGood < 1) best = value;
  }
  return best;
}

/** Spreads what two numbers have in common over all of 32 bits. */
export function mixed(a: number, b: number): number {
  let bits = Math.imul(a ^ b, 0x9e3779b1);
  bits = Math.imul(bits ^ (bits >>> 15), 0x85ebca77);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae3d);
  return (bits ^ (bits >>> 16)) >>> 0;
}
