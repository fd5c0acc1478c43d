import type { Home } from "../home/home";
import type { LendingSetup } from "../lending/setup";

export type WorkerOptions = {
  readonly home: Home;
  /** As `coordinatorBaseUrl` spells it. */
  readonly coordinatorUrl: string;
  /** The networks to serve in: names, ids, or `public`; none: the public one. */
  readonly networks?: readonly string[];
  /** URLs of engines; empty: detect. */
  readonly engines: readonly string[];
  /** Port 0 takes any free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** URL that clients dial; `undefined`: the one it listens on. */
  readonly advertise: string | undefined;
  /** Requests served at once; `undefined`: what the engines say. */
  readonly concurrency: number | undefined;
  /** Of one user; `undefined`: as many as of all. */
  readonly perUser?: number | undefined;
  /** Requests of one user that may wait for a place; 0: none. */
  readonly queue?: number;
  /** For how long what runs may go on when the node is stopped. */
  readonly drainMs?: number;
  readonly refreshIntervalS: number;
  readonly lending: LendingSetup;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Prints one line for people. */
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly onReady?: (info: WorkerReady) => void;
};

export type WorkerReady = {
  readonly url: string;
  readonly models: number;
  readonly engines: readonly string[];
};
