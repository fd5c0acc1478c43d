import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { OPERATOR_SETTINGS } from "#coordinator/config";
import { Jwks } from "#protocol/register";
import { findRunning } from "#self-host/running-file";
import { testStores } from "#support/coordinator";
import { newPeer } from "#support/test-peer";
import { temporaryFolder } from "./folders";

const ROOT = join(import.meta.dirname, "../..");

function selfHost(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const process_ = Bun.spawn([process.execPath, "self-host/main.ts", ...args], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  onTestFinished(() => process_.kill("SIGKILL"));
  return process_;
}

/** Everything that it says until it has said this. */
async function untilSaid(stream: ReadableStream<Uint8Array>, what: RegExp): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream.values({ preventCancel: true })) {
    text += decoder.decode(chunk, { stream: true });
    if (what.test(text)) return text;
  }
  throw new Error(`It ended without saying ${what}: ${text}`);
}

const REAL_STORES = {
  ...(testStores.databaseUrl !== undefined && { DATABASE_URL: testStores.databaseUrl }),
  ...(testStores.redisUrl !== undefined && { REDIS_URL: testStores.redisUrl }),
};

it("runs a coordinator with the operator's settings, stops in order, and keeps its keys", async () => {
  const data = join(temporaryFolder(), "made", "here");
  const args = ["--port", "0", "--data", data];
  const closed = { ...REAL_STORES, JOIN_POLICY: "closed" };
  const kids: string[][] = [];
  for (const env of [closed, REAL_STORES]) {
    const run = selfHost(args, env);
    const said = await untilSaid(run.stdout, /\n/);
    const url = /^The coordinator listens on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(said)?.[1] ?? "";
    expect(findRunning(data)?.url).toBe(url);
    const jwks = Jwks.parse(await (await fetch(`${url}/.well-known/jwks.json`)).json());
    kids.push(jwks.keys.map(({ kid }) => kid));
    const peer = await newPeer(url);
    const registered = await peer.call("/register", { body: {} });
    expect(registered.status).toBe(env === closed ? 403 : 200);

    run.kill("SIGINT");
    expect(await run.exited).toBe(0);
    await expect(fetch(`${url}/health`)).rejects.toThrow();
    expect(findRunning(data)).toBeUndefined();
    // What people are told on the way is not among the results.
    expect(await new Response(run.stderr).text()).toContain("Opening the stores …");
  }
  expect(kids[0]).toEqual(kids[1]);
  expect(existsSync(join(data, "postgres"))).toBe(testStores.databaseUrl === undefined);
});

it("stops in order also where it is told to while it starts", async () => {
  const run = selfHost(["--port", "0", "--data", temporaryFolder()], REAL_STORES);
  await untilSaid(run.stderr, /Opening the stores/);
  run.kill("SIGTERM");
  expect(await run.exited).toBe(0);
  expect(await new Response(run.stdout).text()).toBe("");
});

it("refuses what it cannot do with a sentence and the next thing to do", async () => {
  const cases = [
    [["--prot", "1"], {}, "Unknown option '--prot'"],
    [["--port"], {}, "--port"],
    [["--port", ""], {}, "--port must be a number"],
    [["--data", "/proc/none"], {}, "The folder /proc/none cannot be written"],
    [["--data", "/etc/hosts"], {}, "The folder /etc/hosts cannot be written"],
    [[], { TRUSTED_PROXIES: "everybody" }, "TRUSTED_PROXIES"],
    [["--data", temporaryFolder()], { DATABASE_URL: "mysql://secret@host" }, "DATABASE_URL is not"],
    [["--data", temporaryFolder()], { REDIS_URL: "redis://:secret@127.0.0.1:1" }, "The Redis of"],
    [["--data", temporaryFolder()], { JOIN_POLICY: "secret" }, "JOIN_POLICY"],
  ] as const;
  for (const [args, env, what] of cases) {
    const run = selfHost(args, env);
    const [out, err] = await Promise.all([
      new Response(run.stdout).text(),
      new Response(run.stderr).text(),
    ]);
    expect(await run.exited).toBe(1);
    expect(out).toBe("");
    const told = err.split("\n").filter((line) => !line.endsWith(" …") && line !== "");
    expect(told).toHaveLength(2);
    expect(told[0]).toContain(what);
    expect(err).not.toMatch(/secret|\bat .*:\d+:\d+/);
  }
});

it("names in its help and in the operators' documentation every setting that there is", async () => {
  const help = await new Response(selfHost(["--help"]).stdout).text();
  const documented = readFileSync(join(ROOT, "docs/operators.md"), "utf8");
  const rows = [...documented.matchAll(/^\| `([A-Z_]+)` \|/gm)].map((match) => match[1]);
  expect(new Set(rows)).toEqual(new Set(OPERATOR_SETTINGS));
  for (const name of OPERATOR_SETTINGS) expect(help).toContain(name);
});
