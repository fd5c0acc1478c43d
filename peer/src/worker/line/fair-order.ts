/** Somebody waits; those of one user are served in the order in which they came. */
export type Waiting = { readonly user: string };

/** Who comes next of those that wait, in their order of arrival: whose user has fewest running, then who came first. */
export function nextOf<One extends Waiting>(
  waiting: Iterable<One>,
  runningOf: (user: string) => number,
): One | undefined {
  let next: One | undefined;
  let fewest = Infinity;
  for (const one of waiting) {
    const running = runningOf(one.user);
    if (running >= fewest) continue;
    next = one;
    fewest = running;
  }
  return next;
}

/** How many, and itself, are served until one more of this user would be, if nobody else came. From 1. */
export function positionOf(
  user: string,
  waiting: readonly Waiting[],
  runningOf: (user: string) => number,
): number {
  const mine: Waiting = { user };
  const left: Waiting[] = [...waiting, mine];
  const served = new Map<string, number>();
  for (let position = 1; ; position += 1) {
    const next = nextOf(left, (one) => runningOf(one) + (served.get(one) ?? 0)) ?? mine;
    if (next === mine) return position;
    left.splice(left.indexOf(next), 1);
    served.set(next.user, (served.get(next.user) ?? 0) + 1);
  }
}
