import type { Identity } from "#protocol/identity";

/** A folder of this peer's own, with its identity opened. */
export type Home = {
  /** Absolute. */
  readonly dir: string;
  readonly identity: Identity;
};
