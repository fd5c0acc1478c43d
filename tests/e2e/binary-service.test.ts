import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { troopBinary } from "#support/troop-binary";
import { fakeCoordinator, problem, registrationOf } from "../peer/coordinator/fake-coordinator";

let binary: string;
beforeAll(async () => {
  binary = await troopBinary();
});

type Troop = { readonly home: string; readonly coordinatorUrl: string };

async function setUp(): Promise<Troop> {
  const coordinator = fakeCoordinator({
    "POST /register": (call) => Response.json(registrationOf(call.peerId, Date.now())),
    "POST /heartbeat": () => Response.json({ status: "seen", next_in_seconds: 15 }),
    "GET /health": () => Response.json({ status: "ok" }),
    "GET /.well-known/jwks.json": () => Response.json(registrationOf("x", 0).jwks),
    "GET /v1/models": () => problem("not_found"),
  });
  const home = await mkdtemp(join(tmpdir(), "troop-service-"));
  onTestFinished(async () => {
    await coordinator[Symbol.asyncDispose]();
    await rm(home, { recursive: true, force: true });
  });
  return { home, coordinatorUrl: coordinator.baseUrl };
}

function start({ home, coordinatorUrl }: Troop, args: readonly string[]) {
  const child = Bun.spawn([binary, ...args, "--coordinator", coordinatorUrl, "--home", home], {
    env: { PATH: process.env["PATH"] ?? "" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  onTestFinished(() => child.kill("SIGKILL"));
  return child;
}

/** The first line that a service prints, which is that it is ready. */
async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("\n")) return text.slice(0, text.indexOf("\n"));
  }
  return expect.unreachable(`it ended before it was ready: ${text}`);
}

function portOf(line: string): string {
  return /:(\d+)/.exec(line.replace(/^.*http:\/\//, ""))?.[1] ?? expect.unreachable(line);
}

/** A worker that needs no engine and no Tailscale to start. */
const WORKER = ["worker", "--listen", "127.0.0.1:0", "--engine", "http://127.0.0.1:9"];

it.each([
  ["client", ["client", "--port", "0"]],
  ["worker", WORKER],
] as const)(
  "runs a %s until it is told to stop, and shows it in the status meanwhile",
  async (kind, args) => {
    const troop = await setUp();
    const service = start(troop, args);
    const port = portOf(await firstLine(service.stdout));

    const status = JSON.parse(await new Response(start(troop, ["status", "--json"]).stdout).text());
    expect(status.running).toEqual([
      { kind, pid: service.pid, url: expect.stringContaining(`127.0.0.1:${port}`) },
    ]);
    service.kill("SIGTERM");
    expect(await service.exited).toBe(0);
    expect(await readdir(join(troop.home, "services"))).toEqual([]);
  },
);

it("pauses and resumes a running worker, and says what a mistake in its settings is", async () => {
  const troop = await setUp();
  const worker = start(troop, [...WORKER, "--policy", "always"]);
  await firstLine(worker.stdout);
  const told = async (...args: string[]) =>
    JSON.parse(await new Response(start(troop, [...args, "--json"]).stdout).text());
  expect(await told("status")).toMatchObject({ worker: { state: "lending", policy: "always" } });
  expect(await told("pause")).toMatchObject({ state: "paused", reason: "paused" });
  expect(await told("status")).toMatchObject({ worker: { state: "paused" } });
  expect(await told("resume")).toMatchObject({ state: "lending" });
  worker.kill("SIGTERM");
  expect(await worker.exited).toBe(0);

  await Bun.write(join(troop.home, "troop.toml"), 'policy = "idle"\ngpu_limit = 20\n');
  const mistaken = start(troop, WORKER);
  expect(await mistaken.exited).toBe(2);
  const said = await new Response(mistaken.stderr).text();
  expect(said).toContain(
    "troop.toml:2: there is no setting gpu_limit (did you mean gpu_limit_percent?)",
  );
});

it("names the port and the flag where the port is taken", async () => {
  const troop = await setUp();
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  onTestFinished(() => server.stop(true));
  for (const [args, flag] of [
    [["client", "--port", String(server.port)], "--port"],
    [
      ["worker", "--listen", `127.0.0.1:${server.port}`, "--engine", "http://127.0.0.1:9"],
      "--listen",
    ],
  ] as const) {
    const service = start(troop, args);
    expect(await service.exited).toBe(1);
    expect(await new Response(service.stderr).text()).toBe(
      `troop: Port ${server.port} on 127.0.0.1 is in use.\n` +
        `Stop what listens there, or choose another port with ${flag}.\n`,
    );
    expect(await new Response(service.stdout).text()).toBe("");
  }
});

it("tells a program where it listens, as JSON", async () => {
  const client = start(await setUp(), ["up", "--port", "0", "--json"]);
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of client.stdout) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("\n}\n")) break;
  }
  expect(JSON.parse(text)).toEqual({
    schema: "troop.client/1",
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/v1$/),
  });
});
