import { readdirSync, readFileSync } from "node:fs";
import { dieWithParent } from "#support/die-with-parent";

/** A program that can be killed at any moment and started again as it was. */
export type Killable = {
  readonly name: string;
  /** Where it listens, as it says itself. */
  readonly url: () => string;
  /** SIGKILL to it and to what it started, and the same program anew; resolves when it serves. */
  readonly killAndRestart: () => Promise<void>;
  /** SIGTERM, and the same program anew when it has ended; resolves when it serves. */
  readonly restart: () => Promise<void>;
  /** SIGSTOP: it is there and does nothing. */
  readonly freeze: () => void;
  readonly thaw: () => void;
  /** SIGTERM; resolves when it has ended. */
  readonly stop: () => Promise<void>;
};

export type Program = {
  readonly name: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

type Running = { readonly child: Bun.Subprocess<"ignore", "pipe", "pipe">; readonly url: string };

/** Starts a program that says in a line on stdout where it listens. */
export async function startKillable(program: Program): Promise<Killable> {
  let current = await start(program);
  return {
    name: program.name,
    url: () => current.url,
    async killAndRestart() {
      const { child } = current;
      for (const pid of [child.pid, ...childrenOf(child.pid)]) process.kill(pid, "SIGKILL");
      await child.exited;
      current = await start(program);
    },
    async restart() {
      current.child.kill("SIGTERM");
      await current.child.exited;
      current = await start(program);
    },
    freeze: () => current.child.kill("SIGSTOP"),
    thaw: () => current.child.kill("SIGCONT"),
    async stop() {
      current.child.kill("SIGCONT");
      current.child.kill("SIGTERM");
      await current.child.exited;
    },
  };
}

async function start({ name, command, env }: Program): Promise<Running> {
  const child = Bun.spawn(dieWithParent({ command, signal: "SIGKILL" }), {
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const said = keepTail(child.stderr);
  const reader = child.stdout.getReader();
  let text = "";
  for (;;) {
    const url = /(http:\/\/[\w.:]+\d)\S*[^]*\n/.exec(text)?.[1];
    if (url !== undefined) {
      void drain(reader);
      return { child, url };
    }
    const { done, value } = await reader.read();
    if (done) throw new Error(`${name} ended before it served: ${said()}`);
    text += Buffer.from(value).toString();
  }
}

/** Pids of what a process has started itself; Linux tells them. */
function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`)
    .flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" "))
    .filter((child) => child !== "")
    .map(Number);
}

async function drain(reader: { read(): Promise<{ done: boolean }> }): Promise<void> {
  while (!(await reader.read()).done);
}

/** A pipe that nobody reads would stop the program once it is full. */
function keepTail(stream: ReadableStream<Uint8Array>): () => string {
  let tail = "";
  void (async () => {
    for await (const chunk of stream) tail = (tail + Buffer.from(chunk).toString()).slice(-2_000);
  })();
  return () => tail;
}
