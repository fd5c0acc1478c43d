export type LoopbackOptions = {
  /** Larger bodies are answered with 413. */
  readonly bodyLimitBytes?: number | undefined;
  /** Delays every answer, as a store far away would; for benchmarks. */
  readonly addLatencyMs?: number | undefined;
  /** Hears of errors that the client is not told about. */
  readonly onError?: ((error: unknown) => void) | undefined;
};

export type LoopbackServer = {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly origin: string;
  /** Closes all connections, also those with a request in progress. */
  readonly close: () => Promise<void>;
};

const BODY_LIMIT_BYTES = 16 * 1024 * 1024;
/** Bun's default of 10 s would end a request that waits for its turn in a queue. */
const IDLE_TIMEOUT_SECONDS = 255;

/** Serves on a free port of 127.0.0.1, and only there. */
export function serveLoopback(
  handle: (request: Request) => Promise<Response>,
  options: LoopbackOptions = {},
): LoopbackServer {
  const { addLatencyMs = 0, onError } = options;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    maxRequestBodySize: options.bodyLimitBytes ?? BODY_LIMIT_BYTES,
    idleTimeout: IDLE_TIMEOUT_SECONDS,
    fetch: async (request) => {
      const response = await handle(request);
      if (addLatencyMs > 0) await Bun.sleep(addLatencyMs);
      return response;
    },
    error: (error) => {
      onError?.(error);
      return new Response("internal error", { status: 500 });
    },
  });
  return {
    origin: `http://127.0.0.1:${server.port}`,
    close: () => server.stop(true),
  };
}
