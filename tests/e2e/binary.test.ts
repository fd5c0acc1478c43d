import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { version } from "../../package.json";
import { troopBinary } from "#support/troop-binary";
import { fakeCoordinator, registrationOf } from "../peer/coordinator/fake-coordinator";

let binary: string;
beforeAll(async () => {
  binary = await troopBinary();
});

type Ran = { readonly exit: number; readonly out: string; readonly err: string };

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "troop-binary-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs the binary in `cwd` with a home of its own there, and no variables but PATH and `env`. */
async function troop(
  cwd: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ran> {
  const child = Bun.spawn([binary, ...args], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", TROOP_HOME: join(cwd, "home"), ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, exit] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exit, out, err };
}

it("runs nothing and reads nothing of a hostile folder that it is started in", async () => {
  const folder = await temporaryFolder();
  const effect = join(folder, "effect");
  const attack = `require("node:fs").writeFileSync(${JSON.stringify(effect)}, "ran");`;
  await mkdir(join(folder, "node_modules", "zod"), { recursive: true });
  const files = {
    ".env": "COORDINATOR_URL=http://evil.example\nTROOP_DEBUG=1\n",
    ".env.local": "COORDINATOR_URL=http://evil.example\n",
    "bunfig.toml":
      'preload = ["./preload.ts"]\n[run]\npreload = ["./preload.ts"]\n[define]\n"process.env.COORDINATOR_URL" = "\'http://evil.example\'"\n',
    "preload.ts": attack,
    "tsconfig.json":
      '{"compilerOptions":{"paths":{"*":["./preload.ts"],"node:os":["./preload.ts"]}}}',
    "package.json":
      '{"type":"commonjs","imports":{"#*":"./preload.ts"},"bun":{"preload":["./preload.ts"]}}',
    "node_modules/zod/index.js": attack,
    "node_modules/zod/package.json": '{"name":"zod","main":"index.js"}',
    "index.ts": attack,
    "bin.ts": attack,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);

  for (const args of [["version"], ["balance"], ["status"], ["client", "--help"]]) {
    const ran = await troop(folder, args);
    expect(ran.out + ran.err).not.toContain("evil.example");
    expect(ran.err).not.toContain("/$bunfs/");
  }
  expect((await troop(folder, ["balance"])).err).toContain("No coordinator is known yet.");
  expect(await readdir(folder)).not.toContain("effect");
});

it("would have been caught by that folder if it were built with Bun's defaults", async () => {
  const folder = await temporaryFolder();
  const effect = join(folder, "effect");
  const entry = join(folder, "entry.ts");
  await writeFile(entry, "console.log(process.env.SEEN ?? 'nothing');");
  await Bun.build({ entrypoints: [entry], compile: { outfile: join(folder, "careless") } });
  await writeFile(join(folder, ".env"), "SEEN=dotenv\n");
  await writeFile(join(folder, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
  await writeFile(
    join(folder, "preload.ts"),
    `require("node:fs").writeFileSync(${JSON.stringify(effect)}, "ran");`,
  );
  const careless = Bun.spawn([join(folder, "careless")], { cwd: folder, stdout: "pipe", env: {} });
  expect(await new Response(careless.stdout).text()).toBe("dotenv\n");
  expect(await readdir(folder)).toContain("effect");
});

it("shows help and the version of package.json", async () => {
  const folder = await temporaryFolder();
  const help = await troop(folder, ["--help"]);
  expect(help).toMatchObject({ exit: 0, err: "" });
  expect(help.out).toContain("troop <command> [flags]");
  for (const name of ["client", "worker", "nodes", "models", "balance", "transactions", "status"]) {
    const one = await troop(folder, [name, "--help"]);
    expect(one).toMatchObject({ exit: 0, err: "" });
    expect(one.out).toContain(`Usage: troop ${name} [flags]`);
    expect(one.out).toContain("Examples:\n");
  }
  expect(await troop(folder, ["--version"])).toEqual({
    exit: 0,
    out: `troop ${version}\n`,
    err: "",
  });
});

it("prints JSON that names its shape", async () => {
  const folder = await temporaryFolder();
  const { exit, out } = await troop(folder, ["--json", "version"]);
  expect(exit).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ schema: "troop.version/1", version });
  const status = JSON.parse((await troop(folder, ["status", "--json"])).out);
  expect(status).toMatchObject({
    schema: "troop.status/1",
    home: join(folder, "home"),
    coordinator: { state: "not_configured" },
    running: [],
  });
  expect(status.peer_id).toMatch(/^[\w-]{43}$/);
});

it("answers an unknown flag with the nearest one, exit 2 and nothing on stdout", async () => {
  expect(await troop(await temporaryFolder(), ["balance", "--cordinator", "x"])).toEqual({
    exit: 2,
    out: "",
    err: "troop: There is no flag --cordinator. Did you mean --coordinator?\nRun: troop balance --help\n",
  });
});

it("exits with 3 and no stack where the coordinator is down", async () => {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const url = `http://127.0.0.1:${server.port}`;
  await server.stop(true);
  const ran = await troop(await temporaryFolder(), ["balance", "--coordinator", url]);
  expect(ran).toMatchObject({ exit: 3, out: "" });
  expect(ran.err.split("\n")).toHaveLength(3);
  expect(ran.err).toContain(`The coordinator at ${url} cannot be used: nothing listens there.`);
});

it("reaches a coordinator on this machine directly, whatever proxy is configured", async () => {
  await using coordinator = fakeCoordinator({
    "GET /health": () => Response.json({ status: "ok" }),
  });
  const ran = await troop(
    await temporaryFolder(),
    ["status", "--json", "--coordinator", coordinator.baseUrl],
    {
      HTTP_PROXY: "http://127.0.0.1:9",
      http_proxy: "http://127.0.0.1:9",
      NO_PROXY: "intra.example",
    },
  );
  expect(JSON.parse(ran.out).coordinator.state).toBe("reachable");
});

it("exits with 0 where the reader of its output has gone", async () => {
  const folder = await temporaryFolder();
  // The gate opens only when the reader has closed its end.
  const script = `
    mkfifo gate
    { read line < gate; "$0" --help; echo "exit $?" >&2; } | { exec 0<&-; echo > gate; }`;
  const shell = Bun.spawn(["sh", "-c", script, binary], {
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "" },
    stdout: "ignore",
    stderr: "pipe",
  });
  expect(await new Response(shell.stderr).text()).toBe("exit 0\n");
});

it("writes all of a long result to a reader that is slower", async () => {
  const folder = await temporaryFolder();
  const data = Array.from({ length: 20_000 }, (_, place) => ({
    id: `model-${place}`,
    object: "model",
    created: 0,
    owned_by: "troop",
  }));
  await using coordinator = fakeCoordinator({
    "POST /register": (call) => Response.json(registrationOf(call.peerId, Date.now())),
    "GET /v1/models": () => Response.json({ object: "list", data }),
  });
  const ran = await troop(folder, ["models", "--json", "--coordinator", coordinator.baseUrl]);
  expect(ran).toMatchObject({ exit: 0, err: "" });
  expect(ran.out.length).toBeGreaterThan(1_000_000);
  expect(JSON.parse(ran.out)).toEqual({ schema: "troop.models/1", object: "list", data });
});
