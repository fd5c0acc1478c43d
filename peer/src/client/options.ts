import type { Home } from "../home/home";

export type ClientOptions = {
  readonly home: Home;
  /** As `coordinatorBaseUrl` spells it. */
  readonly coordinatorUrl: string;
  /** The network of models that are named without one: a name or an id; `undefined`: the public one. */
  readonly network?: string | undefined;
  readonly host: string;
  readonly port: number;
  /** URLs of this user's own engines, used before any node; empty: those found on this machine; `undefined`: none. */
  readonly engines?: readonly string[] | undefined;
  /** Ids of nodes to use before others, and of the only ones to use. */
  readonly prefer?: readonly string[] | undefined;
  readonly only?: readonly string[] | undefined;
  /** For how long a request may wait where no node has a place for it; default: not at all. */
  readonly patienceMs?: number;
  /** This client's own names for models, a network's in front included. */
  readonly aliases?: ReadonlyMap<string, string> | undefined;
  /** What apps have to show; `undefined`: nothing. */
  readonly apiKey?: string | undefined;
  /** Origins whose pages may use the endpoint besides those of this machine. */
  readonly origins?: readonly string[] | undefined;
  /** This machine's address in the overlay; `undefined`: it has none. */
  readonly overlayAddress?: (() => string | undefined) | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Prints one line for people. */
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** For how long what runs may go on when the client is stopped; default: not at all. */
  readonly drainMs?: number;
  readonly onReady?: (info: ClientReady) => void;
};

/** `url`: the server's origin; OpenAI's API is at `/v1` below it. */
export type ClientReady = { readonly url: string };
