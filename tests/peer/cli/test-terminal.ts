import type { Terminal } from "#peer/cli/context";
import { linux } from "#peer/platform/linux";

export type TestTerminal = Terminal & {
  readonly out: () => string;
  readonly err: () => string;
  /** What the first Ctrl-C does. */
  readonly interrupt: () => void;
};

export function testTerminal(env: Record<string, string>): TestTerminal {
  let out = "";
  let err = "";
  const controller = new AbortController();
  return {
    env,
    platform: linux,
    networkInterfaces: () => ({}),
    writeOut: async (text) => void (out += text),
    writeErr: (text) => void (err += text),
    stopSignal: () => controller.signal,
    out: () => out,
    err: () => err,
    interrupt: () => controller.abort(),
  };
}
