import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { Balance } from "#protocol/statement";
import { freePort } from "#support/free-port";

const ROOT = join(import.meta.dirname, "../..");
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "troop-start-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** No engine of this machine is looked for, so that the demo engine is what is lent. */
const NO_ENGINES = {
  OLLAMA_HOST: "127.0.0.1:1",
  VLLM_HOST: "127.0.0.1:1",
  LMSTUDIO_URL: "http://127.0.0.1:1",
  LLAMACPP_HOST: "127.0.0.1:1",
};

/** In a process group of its own, so that what it leaves behind can be seen. */
function start(args: readonly string[]) {
  const process_ = Bun.spawn([process.execPath, "demo/start.ts", ...args], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"] ?? "", HOME: folder, ...NO_ENGINES },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    detached: true,
  });
  onTestFinished(() => {
    if (isAnythingLeft(process_.pid)) process.kill(-process_.pid, "SIGKILL");
  });
  return process_;
}

/** Whether a process runs of those that a program started, or itself. */
function isAnythingLeft(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch {
    return false; // No such process.
  }
}

async function untilSaid(stream: ReadableStream<Uint8Array>, what: RegExp): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    if (what.test(text)) return text;
  }
  throw new Error(`It ended without saying ${what}: ${text}`);
}

/** Runs a line as a shell would, from the repository. */
async function shell(line: string): Promise<string> {
  const run = Bun.spawn(["sh", "-c", line], {
    cwd: ROOT,
    env: { PATH: `${join(ROOT, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`, HOME: folder },
    stdout: "pipe",
    stderr: "ignore",
  });
  return new Response(run.stdout).text();
}

async function network() {
  const [port, coordinatorPort] = [await freePort(), await freePort()];
  const data = join(folder, "data");
  const args = ["--port", `${port}`, "--coordinator-port", `${coordinatorPort}`, "--data", data];
  return { port, coordinatorPort, data, args };
}

const balanceOf = async (command: string): Promise<Balance> =>
  Balance.parse(JSON.parse(await shell(`${command} --json`)));

it("brings up a network whose printed curl line and balance commands work, and keeps its data", async () => {
  const { args, port, data: folderOfAll } = await network();
  const first = start(args);
  const said = await untilSaid(first.stdout, /Ctrl-C/);
  expect(said).toContain("demo engine");
  expect(said).toContain(`http://127.0.0.1:${port}/v1`);
  const curl = /^ {2}(curl .*)$/m.exec(said)?.[1] ?? "";
  const [client = "", worker = ""] = [...said.matchAll(/^ {2}(npm run .*)$/gm)].map(
    (m) => m[1] ?? "",
  );
  const clientBefore = await balanceOf(client);
  const workerBefore = await balanceOf(worker);
  expect(clientBefore.user_id).not.toBe(workerBefore.user_id);

  // What follows shows that it took nothing from the one that runs.
  const greedy = start([
    "--port",
    "0",
    "--coordinator-port",
    "0",
    "--data",
    folderOfAll,
    "--fresh",
  ]);
  expect(await greedy.exited).toBe(1);
  expect(await new Response(greedy.stderr).text()).toMatch(/is in use by process \d+\.\n.*--data/);

  expect((await shell(`${curl} -s`)).trimEnd()).toMatch(
    /data: \[DONE\]\n\n: x-troop-credits: [\d.]+$/,
  );
  const openai = new OpenAI({ baseURL: `http://127.0.0.1:${port}/v1`, apiKey: "any" });
  const { data } = await openai.models.list();
  const stream = await openai.chat.completions.create({
    model: data[0]?.id ?? "",
    messages: [{ role: "user", content: "Hello" }],
    stream: true,
  });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  expect(text).toContain("demo engine");

  const status = JSON.parse(await shell(`${client.replace(" balance ", " status ")} --json`)) as {
    running: unknown[];
  };
  expect(status.running).toMatchObject([{ kind: "client", url: `http://127.0.0.1:${port}` }]);

  const paid = async () =>
    clientBefore.total_microcredits - (await balanceOf(client)).total_microcredits;
  const earned = async () =>
    (await balanceOf(worker)).total_microcredits - workerBefore.total_microcredits;
  await expect.poll(earned).toBeGreaterThan(0);
  await expect.poll(async () => (await paid()) - (await earned())).toBe(0);
  const atTheEnd = await paid();

  first.kill("SIGINT");
  expect(await first.exited).toBe(0);
  expect(isAnythingLeft(first.pid)).toBe(false);
  await expect(fetch(`http://127.0.0.1:${port}/v1/models`)).rejects.toThrow();

  const second = start(args);
  await untilSaid(second.stdout, /Ctrl-C/);
  expect(await paid()).toBe(atTheEnd);
  second.kill("SIGINT");
  expect(await second.exited).toBe(0);
});

it.each([
  "Starting Monkey Troop",
  "Bringing the database",
  "Starting the worker",
  "Starting the client",
])("stops all of it where Ctrl-C comes while it says: %s", async (phase) => {
  const data = mkdtempSync(join(folder, "interrupted-"));
  const run = start(["--port", "0", "--coordinator-port", "0", "--data", data]);
  await untilSaid(run.stderr, new RegExp(phase));
  run.kill("SIGINT");
  expect(await run.exited).toBe(0);
  expect(await new Response(run.stdout).text()).toBe("");
  expect(isAnythingLeft(run.pid)).toBe(false);
});

it.each(["--port", "--coordinator-port"])(
  "names the port and the flag, and no stack, where %s is taken",
  async (flag) => {
    const taken = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
    onTestFinished(() => taken.stop(true));
    const { args } = await network();
    const run = start([...args, flag, `${taken.port}`]);
    const said = await new Response(run.stderr).text();
    expect(await run.exited).toBe(1);
    expect(said).toContain(`Port ${taken.port}`);
    expect(said).toContain(`${flag} N`);
    expect(said).not.toMatch(/\bat .*:\d+:\d+/);
  },
);

it("refuses an unknown flag and a port that is none, with a hint", async () => {
  for (const args of [
    ["--prot", "1"],
    ["--port", "x"],
    ["--port", "70000"],
  ]) {
    const run = start(args);
    const said = await new Response(run.stderr).text();
    expect(await run.exited).toBe(1);
    expect(said.trim().split("\n")).toHaveLength(2);
  }
});

it("deletes with --fresh only what it made itself", async () => {
  const mine = mkdtempSync(join(folder, "mine-"));
  writeFileSync(join(mine, "thesis.txt"), "years of work");
  const run = start(["--port", "0", "--coordinator-port", "0", "--data", mine, "--fresh"]);
  const said = await new Response(run.stderr).text();
  expect(await run.exited).toBe(1);
  expect(said).toContain("--data DIR");
  expect(await Bun.file(join(mine, "thesis.txt")).text()).toBe("years of work");
});

it("refuses one port for two servers, and a data folder that cannot be one", async () => {
  const cases = [
    [["--port", "9123", "--coordinator-port", "9123"], "are the same"],
    [["--port", "0", "--coordinator-port", "0", "--data", "/proc/none"], "cannot be written"],
  ] as const;
  for (const [args, what] of cases) {
    const run = start(args);
    const said = await new Response(run.stderr).text();
    expect(await run.exited).toBe(1);
    expect(said).toContain(what);
    expect(said.trim().split("\n")).toHaveLength(2);
  }
});
