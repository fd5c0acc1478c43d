export type CleanupStack = {
  /** Runs when the stack is run down, newest first. */
  readonly add: (step: () => void | Promise<void>) => void;
  /** Runs every step once, even if one throws; a second call waits for the first. */
  readonly run: () => Promise<void>;
};

/**
 * What a script has to undo. On Ctrl-C and the like the steps run before the process ends, with the
 * exit code that shells expect of a signal.
 */
export function cleanupStack(): CleanupStack {
  const steps: (() => void | Promise<void>)[] = [];
  let running: Promise<void> | null = null;

  const runSteps = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      try {
        await step();
      } catch (error) {
        // The other steps matter more than the order of bad news.
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, "could not clean up everything");
  };
  const run = (): Promise<void> => (running ??= runSteps());

  const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
  for (const [signal, exitCode] of Object.entries(exitCodes)) {
    process.once(signal, () => {
      void run()
        .catch((error: unknown) => console.error(error))
        .finally(() => process.exit(exitCode));
    });
  }
  return { add: (step) => void steps.push(step), run };
}
