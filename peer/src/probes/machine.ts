import { readdir, readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { errorCode } from "../home/atomic-file";
import type { ProbeRefusal } from "../lending/readings";
import type { Env } from "../platform/platform";
import type { Outcome } from "#protocol/outcome";

export type Text = Outcome<string, ProbeRefusal>;

/** What a probe may ask of the machine; tests bring recorded answers. Nothing in here throws. */
export type Machine = {
  /** A tool's stdout. It is killed after `limitMs`. */
  run(command: readonly string[], limitMs: number): Promise<Text>;
  /** Runs a tool on and on, with each line that it prints. Its input ends with `stop`, or with this process. */
  follow(command: readonly string[], onLine: (line: string) => void): { readonly stop: () => void };
  read(path: string): Promise<Text>;
  /** Names in a folder; empty where there is none. */
  list(path: string): Promise<readonly string[]>;
  /** Unix milliseconds. */
  wallMs(): number;
  /** Milliseconds that all cores together were idle and not, since some moment. */
  cpuTimes(): { readonly idleMs: number; readonly busyMs: number };
};

const MAX_OUTPUT_BYTES = 1_048_576;

/** This machine; tools run with `env`. */
export function thisMachine(env: Env): Machine {
  return {
    ...SYSTEM,
    run: (command, limitMs) => runTool(command, limitMs, env),
    follow: (command, onLine) => followTool(command, onLine, env),
  };
}

const SYSTEM: Omit<Machine, "run" | "follow"> = {
  async read(path) {
    try {
      return { ok: true, value: await readFile(path, "utf8") };
    } catch (cause) {
      return { ok: false, reason: refusalOf(errorCode(cause)) };
    }
  },
  async list(path) {
    try {
      return (await readdir(path)).toSorted();
    } catch {
      return []; // Not there, or not ours to look into: either way it tells nothing.
    }
  },
  wallMs: () => Date.now(),
  cpuTimes() {
    let idleMs = 0;
    let busyMs = 0;
    for (const { times } of cpus()) {
      idleMs += times.idle;
      busyMs += times.user + times.nice + times.sys + times.irq;
    }
    return { idleMs, busyMs };
  },
};

async function runTool(command: readonly string[], limitMs: number, env: Env): Promise<Text> {
  const limit = AbortSignal.timeout(limitMs);
  // Not even a kill ends a tool that hangs in its driver, and what it started may hold its output open.
  const late = new Promise<Text>((resolve) => {
    limit.addEventListener("abort", () => resolve({ ok: false, reason: "timeout" }));
  });
  return Promise.race([late, outcomeOf(command, limit, env)]);
}

async function outcomeOf(command: readonly string[], limit: AbortSignal, env: Env): Promise<Text> {
  try {
    const tool = Bun.spawn([...command], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      // Numbers and words as the parsers know them.
      env: { ...env, LC_ALL: "C", LANG: "C" },
      signal: limit,
      killSignal: "SIGKILL",
      maxBuffer: MAX_OUTPUT_BYTES,
      windowsHide: true,
    });
    const [exit, out, err] = await Promise.all([
      tool.exited,
      new Response(tool.stdout).text(),
      new Response(tool.stderr).text(),
    ]);
    if (exit === 0) return { ok: true, value: out };
    return { ok: false, reason: complaintOf(`${out}\n${err}`) };
  } catch (cause) {
    return { ok: false, reason: refusalOf(errorCode(cause)) };
  }
}

function followTool(
  command: readonly string[],
  onLine: (line: string) => void,
  env: Env,
): { readonly stop: () => void } {
  try {
    const tool = Bun.spawn([...command], { stdin: "pipe", stdout: "pipe", stderr: "ignore", env });
    tool.unref();
    void eachLine(tool.stdout, onLine);
    return { stop: () => void tool.stdin.end() };
  } catch {
    return { stop: () => {} }; // Not on this machine: it prints nothing.
  }
}

async function eachLine(
  stream: ReadableStream<Uint8Array>,
  onLine: (line: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  }
}

function refusalOf(code: string | undefined): ProbeRefusal["reason"] {
  if (code === "ENOENT" || code === "ENOTDIR") return "absent";
  return code === "EACCES" || code === "EPERM" ? "denied" : "failed";
}

/** What a tool that failed says; each of them has words of its own. */
function complaintOf(text: string): ProbeRefusal["reason"] {
  if (/permission|not permitted|access is denied|accessdenied/i.test(text)) return "denied";
  return /no devices? (?:were )?found|couldn't communicate with the nvidia driver/i.test(text)
    ? "none"
    : "failed";
}
