import type { Home } from "../home/home";

export type ClientOptions = {
  readonly home: Home;
  /** As `coordinatorBaseUrl` spells it. */
  readonly coordinatorUrl: string;
  readonly host: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Prints one line for people. */
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly onReady?: (info: ClientReady) => void;
};

/** `url`: the server's origin; OpenAI's API is at `/v1` below it. */
export type ClientReady = { readonly url: string };
