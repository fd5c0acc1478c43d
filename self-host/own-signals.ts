const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs something that starts Miniflare and takes back the signal handlers that it installs: they end the process at
 * once, in the middle of an orderly stop. Its handler for the end of the process stays.
 */
export async function keepSignals<Value>(start: () => Promise<Value>): Promise<Value> {
  const before = new Map(SIGNALS.map((signal) => [signal, new Set(process.listeners(signal))]));
  try {
    return await start();
  } finally {
    for (const [signal, known] of before) {
      for (const listener of process.listeners(signal)) {
        if (!known.has(listener)) process.off(signal, listener);
      }
    }
  }
}
