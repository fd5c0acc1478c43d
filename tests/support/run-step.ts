import { appendFile, readFile, writeFile } from "node:fs/promises";
import { dieWithParent } from "./die-with-parent";

export type StepOptions = {
  /** All output of the step; its end is shown when the step fails. */
  readonly logPath: string;
  /** A piece of the output that tells how far the step is, shown as it changes. */
  readonly progress?: RegExp;
};

const LOG_TAIL_CHARACTERS = 3_000;

/** Runs one long step of a build with a line of progress; throws with the end of its log. */
export async function runStep(
  title: string,
  command: readonly string[],
  { logPath, progress }: StepOptions,
): Promise<void> {
  const show = progressLine(title);
  show("…");
  await writeFile(logPath, "");
  const child = Bun.spawn(
    ["sh", "-c", 'exec "$@" 2>&1', "sh", ...dieWithParent({ command, signal: "SIGTERM" })],
    {
      stdin: "ignore",
      stdout: "pipe",
    },
  );
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    await appendFile(logPath, chunk);
    const latest = progress && decoder.decode(chunk, { stream: true }).match(progress)?.at(-1);
    if (latest !== undefined) show(latest);
  }
  const exitCode = await child.exited;
  if (exitCode !== 0) {
    const log = await readFile(logPath, "utf8");
    throw new Error(
      `${title} failed (exit code ${exitCode}), see ${logPath}:\n${log.slice(-LOG_TAIL_CHARACTERS)}`,
    );
  }
  show("done\n");
}

/** Rewrites one line on a terminal; in a log file only the first and the last word appear. */
function progressLine(title: string): (word: string) => void {
  const isTerminal = process.stdout.isTTY;
  return (word) => {
    if (isTerminal) process.stdout.write(`\r\u001b[K${title} ${word}`);
    else if (word.endsWith("\n") || word === "…") process.stdout.write(`${title} ${word.trim()}\n`);
  };
}
