/** A whole number from 0 to below `below` (at most 2^53), each as likely, that nobody can foresee. */
export function randomBelow(below: number): number {
  const most = 2 ** 53 - (2 ** 53 % below);
  for (;;) {
    const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
    const drawn = (high & 0x1fffff) * 2 ** 32 + low;
    if (drawn < most) return drawn % below;
  }
}
