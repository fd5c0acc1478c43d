import { readFile } from "node:fs/promises";
import { ensureLlamaServer } from "./llama-server-build";
import { startServerProcess } from "./server-process";

export type LlamaServerOptions = {
  /** Path of the GGUF file. */
  readonly model: string;
  readonly logPath: string;
  /** 0 (the default) takes a free one. */
  readonly port?: number;
  readonly args?: readonly string[];
};

export type LlamaServer = {
  /** `http://127.0.0.1:<port>`, without a path. */
  readonly url: string;
  readonly stop: () => Promise<void>;
};

/** More threads than cores make the tiny models hundreds of times slower: they spin. */
const ONE_THREAD = ["-t", "1", "-tb", "1"];

const LISTENING = /listening on (http:\/\/[\d.]+:\d+)/;

/** Starts llama-server on 127.0.0.1 and waits until its model is loaded. */
export async function startLlamaServer(options: LlamaServerOptions): Promise<LlamaServer> {
  const { program } = await ensureLlamaServer();
  const { logPath, port = 0, args = [] } = options;
  const listenUrl = async (): Promise<string | undefined> =>
    (await readFile(logPath, "utf8")).match(LISTENING)?.[1];

  const address = ["--host", "127.0.0.1", "--port", String(port)];
  const server = await startServerProcess({
    name: "llama-server",
    command: [program, "-m", options.model, ...address, ...ONE_THREAD, ...args],
    logPath,
    // It keeps nothing, and while it reads a prompt it leaves other signals waiting.
    stopSignal: "SIGKILL",
    isReady: async () => {
      const url = await listenUrl();
      return url !== undefined && (await isHealthy(url));
    },
    readyTimeoutMs: 60_000,
  });
  const url = await listenUrl();
  if (url === undefined) throw new Error("llama-server does not say where it listens");
  return { url, stop: server.stop };
}

/** While the model loads the answer is 503. */
async function isHealthy(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(5_000) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    // Not listening yet; the caller asks again, and gives up with the server's own log.
    return false;
  }
}
