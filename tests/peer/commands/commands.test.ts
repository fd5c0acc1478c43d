import { controlAddress } from "#peer/control/address";
import { listenForControl } from "#peer/control/listen";
import type { ControlRequest, WorkerStatus } from "#peer/control/messages";
import { linux } from "#peer/platform/linux";
import { expect, it, onTestFinished } from "vitest";
import { EXIT } from "#peer/cli/error";
import { writeServiceFile } from "#peer/home/service-file";
import { problem } from "../coordinator/fake-coordinator";
import { setUp, USER } from "./troop-under-test";

const BALANCE = {
  user_id: USER,
  available: "9.5",
  available_microcredits: 9_500_000,
  held: "0.5",
  held_microcredits: 500_000,
  in_escrow: "2.25",
  in_escrow_microcredits: 2_250_000,
  total: "12.25",
  total_microcredits: 12_250_000,
};

function node(name: string, models: readonly string[]) {
  return {
    node_id: name.padEnd(43, "A"),
    network: "public",
    state: "serving",
    models: models.map((id) => ({ id, engine: "ollama", state: "loaded" })),
    rate: 1_500_000,
    running: 1,
    waiting: 0,
    concurrency: 4,
    version: "0.1.0",
    seen_at: "2030-01-01T00:00:00Z",
  };
}

it("shows the balance, after registering by itself", async () => {
  const { run, coordinator } = await setUp({
    [`GET /users/${USER}/balance`]: () => Response.json(BALANCE),
  });
  expect(await run("balance")).toEqual({
    exit: EXIT.ok,
    out:
      "available  9.5 credits\n" +
      "held       0.5 credits, by open leases\n" +
      "in escrow  2.25 credits, earned and soon available\n" +
      "total      12.25 credits\n",
    err: "",
  });
  const json = await run("balance", "--json");
  expect(JSON.parse(json.out)).toEqual({ schema: "troop.balance/1", ...BALANCE });
  expect(coordinator.seen.map((call) => call.target)).toEqual([
    "/register",
    `/users/${USER}/balance`,
    `/users/${USER}/balance`,
  ]);
});

it("lists models by name with what they usually cost, and says when there are none", async () => {
  const data: object[] = [];
  const { run } = await setUp({ "GET /v1/models": () => Response.json({ object: "list", data }) });
  expect((await run("models")).out).toBe("No model is offered at the moment.\n");
  for (const id of ["qwen3:8b", "llama3.2:3b"]) {
    const rate = id.startsWith("q") && { credits_per_1k_tokens: "12.5" };
    data.push({ id, object: "model", created: 1_893_456_000, owned_by: "troop", ...rate });
  }
  expect((await run("models")).out).toBe(
    "MODEL        SINCE       OWNER  CREDITS PER 1K TOKENS\n" +
      "llama3.2:3b  2030-01-01  troop  -\n" +
      "qwen3:8b     2030-01-01  troop  12.5\n",
  );
});

it("lists nodes over all pages up to the limit", async () => {
  const { run, coordinator } = await setUp({
    "GET /nodes": (call) => {
      const page = Number(new URL(call.target, "http://x").searchParams.get("cursor") ?? 1);
      const nodes = [node(`n${page}`, ["a:1", "b/2"])];
      return Response.json(page < 4 ? { nodes, next_cursor: String(page + 1) } : { nodes });
    },
  });
  const all = await run("nodes");
  expect(all.out.split("\n")[1]).toMatch(/^n1A+ +serving +ollama +1\.5\/s +1 of 4 +a:1, b\/2$/);
  expect(all.out.trimEnd().split("\n")).toHaveLength(5);
  const some = await run("nodes", "--limit", "2", "--model", "a:1");
  expect(some.out).toContain("More: troop nodes --cursor 3");
  expect(coordinator.seen.at(-1)?.target).toBe("/nodes?model=a%3A1&cursor=2");
});

it("does not follow a coordinator that pages in a circle", async () => {
  const { run, coordinator } = await setUp({
    "GET /nodes": () => Response.json({ nodes: [], next_cursor: "again" }),
  });
  expect((await run("nodes")).out).toBe("No node is there at the moment.\n");
  expect(coordinator.seen.filter((call) => call.target.startsWith("/nodes"))).toHaveLength(2);
});

it("lists transactions and says how to see more", async () => {
  const { run, coordinator } = await setUp({
    [`GET /users/${USER}/transactions`]: () =>
      Response.json({
        transactions: [
          {
            id: "7",
            type: "hold",
            available_change: "-1.5",
            available_change_microcredits: -1_500_000,
            held_change: "1.5",
            held_change_microcredits: 1_500_000,
            escrow_change: "0",
            escrow_change_microcredits: 0,
            model: "m",
            at: "2030-01-01T00:00:00Z",
          },
          {
            id: "6",
            type: "settlement",
            available_change: "0",
            available_change_microcredits: 0,
            held_change: "0",
            held_change_microcredits: 0,
            escrow_change: "2.25",
            escrow_change_microcredits: 2_250_000,
            model: "m",
            at: "2030-01-01T00:00:00Z",
          },
        ],
        next_cursor: "c2",
      }),
  });
  const { out } = await run("transactions", "--limit", "1", "--cursor", "c1");
  expect(out).toBe(
    "TIME (UTC)            WHAT        AVAILABLE  HELD  ESCROW  MODEL  LEASE\n" +
      "2030-01-01T00:00:00Z  hold        -1.5       +1.5  0       m      -\n" +
      "2030-01-01T00:00:00Z  settlement  0          0     +2.25   m      -\n" +
      "\nMore: troop transactions --cursor c2\n",
  );
  expect(coordinator.seen.at(-1)?.target).toBe(`/users/${USER}/transactions?limit=1&cursor=c1`);
});

it("says how to go on where a worker has no Tailscale address to listen on", async () => {
  const { run } = await setUp();
  const { exit, err, out } = await run("worker");
  expect({ exit, out }).toEqual({ exit: EXIT.usage, out: "" });
  expect(err).toContain("tailscale up");
  expect(err).toContain("--listen HOST:PORT");
});

it.each([
  ["--advertise", "https://node.example"],
  ["--advertise", "http://100.64.0.7:8080/path"],
  ["--concurrency", "0"],
  ["--engine", "ollama"],
])("refuses a worker's %s %s", async (flag, value) => {
  const { run } = await setUp();
  const { exit, err } = await run("worker", flag, value);
  expect(exit).toBe(EXIT.usage);
  expect(err).toContain(`troop: ${flag} must be`);
});

it("says what the coordinator refused, with exit 4", async () => {
  const { run } = await setUp({ "GET /v1/models": () => problem("protocol_unsupported") });
  const { exit, err, out } = await run("models");
  expect({ exit, out }).toEqual({ exit: EXIT.coordinatorRefused, out: "" });
  expect(err).toContain("protocol_unsupported");
});

it("says that the coordinator is down, with exit 3", async () => {
  const { run, coordinator } = await setUp();
  await coordinator[Symbol.asyncDispose]();
  const { exit, err } = await run("balance");
  expect(exit).toBe(EXIT.coordinatorUnreachable);
  expect(err).toContain(coordinator.baseUrl);
});

it("shows status before anything is registered, and with the coordinator down", async () => {
  const { run, coordinator, dir } = await setUp({
    "GET /health": () => Response.json({ status: "ok" }),
  });
  const fresh = JSON.parse((await run("status", "--json")).out);
  expect(fresh).toMatchObject({
    schema: "troop.status/1",
    home: dir,
    coordinator: { state: "reachable", url: coordinator.baseUrl },
    running: [],
  });
  expect(fresh).not.toHaveProperty("user_id");
  await run("models"); // It fails, but registers.
  await coordinator[Symbol.asyncDispose]();
  const down = await run("status", "--json");
  expect(down.exit).toBe(EXIT.ok);
  expect(JSON.parse(down.out)).toMatchObject({
    user_id: USER,
    coordinator: { state: "unreachable" },
  });
});

it("shows what a running worker does and why, and what it earned today", async () => {
  const { run, dir, coordinator } = await setUp({
    "GET /health": () => Response.json({ status: "ok" }),
  });
  await run("models"); // It fails, but registers.
  const { peer_id: node_id } = JSON.parse((await run("status", "--json")).out);
  const served = { requests: 3, completion_tokens: 90, credits: "1.5", microcredits: 1_500_000 };
  const node = { ...served, node_id, live: true, chosen: 3, passed_over: {} };
  const other = { ...node, node_id: "o".repeat(43), credits: "7", requests: 9 };
  const earnings = { user_id: USER, days: 1, total: served, by_day: [], by_model: [] };
  const path = `GET /users/${USER}/earnings`;
  coordinator.answers[path] = () => Response.json({ ...earnings, by_node: [other, node] });

  let status: WorkerStatus = {
    state: "paused",
    reason: "gpu_in_use",
    why: "game.exe uses the GPU",
    policy: "idle",
    running: 1,
    waiting: 2,
    concurrency: 4,
    models: [
      { id: "a", state: "loaded" },
      { id: "b", state: "cold" },
    ],
    gpus: [{ name: "NVIDIA L4", vram_total_mib: 23_034, vram_free_mib: 4_000 }, { name: "GPU" }],
    signals: [
      { signal: "input", source: "logind", state: "known" },
      { signal: "gpu", source: "nvidia-smi", state: "timeout" },
      { signal: "gpu", source: "amdgpu", state: "absent" },
    ],
  };
  const asked: ControlRequest[] = [];
  const server = await listenForControl(controlAddress(dir, linux), async (request) => {
    asked.push(request);
    return { ok: true, status };
  });
  onTestFinished(() => server.close());
  const { out } = await run("status");
  for (const line of [
    /^state +paused: game\.exe uses the GPU$/m,
    /^jobs +1 running, 2 waiting, 4 at most$/m,
    /^models +2 offered, 1 loaded$/m,
    /^gpu +NVIDIA L4, 4000 of 23034 MiB free$/m,
    /^gpu +GPU$/m,
    /^sees +keyboard and mouse \(logind\); GPU unknown \(nvidia-smi: timeout\); battery unknown; processor unknown$/m,
    /^earned +1\.5 credits today \(UTC\), for 3 requests$/m,
  ]) {
    expect(out).toMatch(line);
  }
  expect(JSON.parse((await run("status", "--json")).out)).toMatchObject({
    worker: status,
    earned_today: { credits: "1.5", requests: 3 },
  });

  delete coordinator.answers[path];
  status = { ...status, state: "lending", why: "nobody uses this machine", policy: "always" };
  const always = (await run("status")).out;
  expect(always).toMatch(/^state +lending: nobody uses this machine$/m);
  expect(always).not.toMatch(/^(sees|earned)/m);
  await run("pause", "--for", "2h");
  await run("resume");
  expect(asked.slice(-2)).toEqual([{ ask: "pause", for_ms: 7_200_000 }, { ask: "resume" }]);
});

it.each(["pause", "resume"])("%s says so where no worker runs", async (name) => {
  const { run, dir } = await setUp();
  const { exit, err } = await run(name);
  expect(exit).toBe(EXIT.failed);
  expect(err).toContain(`No worker runs with the home ${dir}.`);
  expect((await run("pause", "--for", "soon")).exit).toBe(EXIT.usage);
});

it("shows a client as listening only while its process lives and its port answers", async () => {
  const { run, dir } = await setUp({ "GET /health": () => Response.json({ status: "ok" }) });
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  onTestFinished(() => server.stop(true));
  const url = `http://127.0.0.1:${server.port}`;
  const ended = Bun.spawn([process.execPath, "--version"], { stdout: "ignore" });
  await ended.exited;

  await writeServiceFile(dir, { kind: "worker", url, pid: ended.pid });
  await writeServiceFile(dir, { kind: "client", url: `${url}/v1`, pid: process.pid });
  const up = (await run("status")).out;
  expect(up).toContain(`client       listening at ${url}/v1\n`);
  expect(up).toContain("worker       not running with this home\n");

  await server.stop(true);
  expect((await run("status")).out).toContain("client       not running with this home\n");
});
