import { fileURLToPath } from "node:url";
import { dieWithParent } from "#support/die-with-parent";
import type { Scope } from "./scope";

export type Listening = { readonly pid: number; readonly url: string };

/** Runs a program of this repository (`entry`: its file URL) that says in its first line at which URL it listens. */
export async function startListening(
  scope: Scope,
  entry: string,
  args: readonly string[],
): Promise<Listening> {
  const child = await startChild(scope, entry, args);
  const decoder = new TextDecoder();
  let text = "";
  // Left open: a program that writes to a pipe without a reader would end.
  const reader = child.stdout.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`${entry} ended before it listened`);
    text += decoder.decode(value, { stream: true });
    const url = /http:\/\/[\w.:]+\d/.exec(text)?.[0];
    if (url !== undefined && text.includes("\n")) return { pid: child.pid, url };
  }
}

/** Runs a program of this repository to its end; the result is what it wrote. */
export async function runToEnd(
  scope: Scope,
  entry: string,
  args: readonly string[],
): Promise<string> {
  const child = await startChild(scope, entry, args);
  const text = await new Response(child.stdout).text();
  const code = await child.exited;
  if (code !== 0) throw new Error(`${entry} ended with ${code ?? child.signalCode}`);
  return text;
}

function startChild(scope: Scope, entry: string, args: readonly string[]) {
  const command = [process.execPath, fileURLToPath(entry), ...args];
  return scope.hold(
    async () =>
      Bun.spawn(dieWithParent({ command, signal: "SIGKILL" }), {
        stdin: "ignore",
        stdout: "pipe",
        stderr: "inherit",
      }),
    async (child) => {
      child.kill("SIGKILL");
      await child.exited;
    },
  );
}
