import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type DemoEngine, startDemoEngine } from "#demo/engine/start";
import { Network, NewInvite } from "#protocol/network";
import { Balance } from "#protocol/statement";
import { startTestCoordinator, type TestCoordinator } from "#support/coordinator";
import { runTroop, startTroop, type Troop } from "#support/network";
import { troopBinary } from "#support/troop-binary";

const cleanup = new AsyncDisposableStack();
let coordinator: TestCoordinator;
let engine: DemoEngine;
let binary: string;
let folder: string;
let model: string;

beforeAll(async () => {
  binary = await troopBinary();
  folder = await mkdtemp(join(tmpdir(), "troop-private-"));
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  engine = startDemoEngine({ voice: "vllm", deterministic: true });
  cleanup.defer(() => engine.close());
  model = engine.models().find(({ kind }) => kind === "chat")?.id ?? "";
  coordinator = await startTestCoordinator();
  cleanup.defer(() => coordinator.stop());
});

afterAll(() => cleanup.disposeAsync());

const run = (name: string, ...args: string[]): Promise<unknown> =>
  runTroop(binary, join(folder, name), [...args, "--coordinator", coordinator.url]);

async function start(name: string, ...args: string[]): Promise<Troop> {
  const troop = await startTroop(binary, join(folder, name), [
    ...args,
    "--coordinator",
    coordinator.url,
  ]);
  cleanup.defer(async () => {
    troop.process.kill("SIGTERM");
    await troop.process.exited;
  });
  return troop;
}

async function chat(url: string, name: string): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: "Hi" }], model: name }),
  });
}

const idsOf = async (url: string): Promise<string[]> => {
  const list = (await (await fetch(`${url}/v1/models`)).json()) as { data: { id: string }[] };
  return list.data.map(({ id }) => id);
};

it("serves members of a private network, and nobody else finds its model", async () => {
  const network = Network.parse(await run("owner", "network", "create", "team"));
  const { invite } = NewInvite.parse(
    await run("owner", "network", "invite", "team", "--uses", "1"),
  );
  // No coordinator is named: the invite does.
  const joined = await runTroop(binary, join(folder, "friend"), ["join", invite]);
  expect(joined).toMatchObject({ id: network.id, role: "member", members: 2 });
  await expect(runTroop(binary, join(folder, "thief"), ["join", invite])).rejects.toThrow(
    "unknown, used up or expired",
  );

  await start(
    "friend",
    "worker",
    // Whoever runs the tests uses the machine.
    "--policy=always",
    "--network=team",
    "--listen=127.0.0.1:0",
    `--engine=${engine.url}`,
  );
  const owner = await start("owner", "client", "--no-local", "--port", "0");
  const stranger = await start("stranger", "client", "--no-local", "--port", "0");

  expect(await idsOf(owner.url)).toContain(`team/${model}`);
  expect(await idsOf(owner.url)).not.toContain(model);
  const seen = engine.journal.entries().length;
  const answer = await chat(owner.url, `team/${model}`);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ model, object: "chat.completion" });
  const [request] = engine.journal.entries().slice(seen);
  const hasher = new Bun.CryptoHasher("sha256");
  const asTheEngineKnowsIt = { messages: [{ role: "user", content: "Hi" }], model };
  expect(request?.bodySha256).toBe(hasher.update(JSON.stringify(asTheEngineKnowsIt)).digest("hex"));
  expect((await chat(owner.url, model)).status).toBe(404);

  const main = await start("friend", "client", "--no-local", "--port", "0", "--network", "team");
  expect((await chat(main.url, model)).status).toBe(200);
  expect((await chat(main.url, `public/${model}`)).status).toBe(404);

  for (const name of [model, `team/${model}`, `${network.id}/${model}`]) {
    expect((await chat(stranger.url, name)).status).toBe(404);
  }
  const shown = await idsOf(stranger.url);
  expect(shown.filter((id) => id.endsWith(model))).toEqual([]);
  await expect(run("stranger", "network", "show", network.id)).rejects.toThrow(
    "You belong to no such network",
  );

  // The friend's own request was free, the owner's was paid.
  await expect
    .poll(async () => {
      const balance = await balances();
      return balance.friend - balance.owner;
    })
    .toBeGreaterThan(0);
  const balance = await balances();
  expect(balance.friend + balance.owner).toBe(2 * balance.stranger);

  expect(await run("owner", "models", "--network", "team")).toMatchObject({
    data: expect.arrayContaining([expect.objectContaining({ id: model })]),
  });
  expect(await run("owner", "nodes", "--network", "team")).toMatchObject({
    nodes: [{ network: network.id }],
  });
  const { user_id: user } = (await run("friend", "status")) as { user_id: string };
  await run("owner", "network", "remove", "team", "--user", user);
  // The ticket that the running client has is good until it ends; a new one names the friend's node no more.
  const fresh = await start("owner", "client", "--no-local", "--port", "0");
  expect((await chat(fresh.url, `team/${model}`)).status).toBe(404);
  const removed = await start("friend", "client", "--no-local", "--port", "0", "--network", "team");
  const refused = await chat(removed.url, model);
  expect([refused.status, await refused.text()]).toEqual([404, expect.stringContaining("You ")]);
  await expect(run("friend", "network", "members", "team")).rejects.toThrow(
    "You belong to no such network",
  );
  expect(await run("owner", "network", "leave", "team")).toMatchObject({ network: "team" });
  // What was meant for the network goes nowhere else.
  await expect
    .poll(async () => {
      const { error } = (await (await chat(owner.url, `team/${model}`)).json()) as {
        error: { message: string };
      };
      return error.message;
    })
    .toBe("You do not belong to the network team any more.");
});

async function balances(): Promise<Record<"friend" | "owner" | "stranger", number>> {
  const read = async (name: string) => Balance.parse(await run(name, "balance")).total_microcredits;
  return {
    friend: await read("friend"),
    owner: await read("owner"),
    stranger: await read("stranger"),
  };
}
