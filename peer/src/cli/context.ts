import type { CoordinatorApi } from "../coordinator/api";
import type { Home } from "../home/home";
import type { Env, NetworkInterfaces, Platform } from "../platform/platform";

/** What `main` needs of the process; tests give their own. */
export type Terminal = {
  readonly env: Env;
  readonly platform: Platform;
  /** `os.networkInterfaces()`. */
  readonly networkInterfaces: () => NetworkInterfaces;
  readonly writeOut: (text: string) => Promise<void>;
  readonly writeErr: (text: string) => void;
  /** From this call on, an interrupt aborts the signal and leaves the process to stop in order. */
  readonly stopSignal: () => AbortSignal;
};

export type CommandContext<Flags, Data> = {
  readonly flags: Flags;
  readonly env: Env;
  readonly platform: Platform;
  readonly networkInterfaces: () => NetworkInterfaces;
  readonly stopSignal: () => AbortSignal;
  /** One line for people, on stderr. */
  readonly say: (line: string) => void;
  /** Prints a result before the command ends, as `--json` or for people. */
  readonly emit: (data: Data) => Promise<void>;
  /** Absolute path of the home, which need not exist yet. */
  readonly homeDir: string;
  /** Opened at the first call. */
  readonly home: () => Promise<Home>;
  /** By flag, environment or settings, in this order; `undefined` where none names one. */
  readonly configuredCoordinator: () => Promise<string | undefined>;
  /** Like `configuredCoordinator`, but throws a `CliError` that says what to pass. */
  readonly coordinatorUrl: () => Promise<string>;
  readonly coordinator: () => Promise<{ readonly home: Home; readonly api: CoordinatorApi }>;
};
