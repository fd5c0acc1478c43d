import type { Scope } from "./scope";

export type Target = { readonly atMost: number } | { readonly atLeast: number };

export type Figure = {
  readonly name: string;
  readonly unit: string;
  /** Null: cannot be told on this machine; `note` says why. */
  readonly measured: number | null;
  /** Left out where the figure is only good to know. */
  readonly target?: Target;
  /** What else was seen, in a few words. */
  readonly note?: string;
};

/** One thing to measure. It starts what it needs in the scope, which stops it. */
export type Part = {
  readonly name: string;
  readonly summary: string;
  readonly run: (scope: Scope) => Promise<Figure[]>;
};

export type Verdict = "pass" | "miss" | "info" | "unknown";

export function verdictOf({ measured, target }: Figure): Verdict {
  if (measured === null) return "unknown";
  if (target === undefined) return "info";
  const isMet = "atMost" in target ? measured <= target.atMost : measured >= target.atLeast;
  return isMet ? "pass" : "miss";
}

/** Measured ÷ target; null where one of them is missing or nothing can be divided by it. */
export function ratioOf({ measured, target }: Figure): number | null {
  if (measured === null || target === undefined) return null;
  const bound = "atMost" in target ? target.atMost : target.atLeast;
  return bound === 0 ? null : measured / bound;
}
