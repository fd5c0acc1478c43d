import { afterAll, beforeAll, expect, it } from "vitest";
import { type DemoEngine, startDemoEngine } from "#demo/engine/start";
import { startNetwork, type TestNetwork } from "#support/network";

const PREFIX = "/api";
let engine: DemoEngine;
let network: TestNetwork;
let proxy: ReturnType<typeof Bun.serve>;
let target = "";

beforeAll(async () => {
  engine = startDemoEngine({ voice: "llamacpp" });
  // As a web server would: everything below the prefix goes to the coordinator, nothing else does.
  proxy = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      if (!pathname.startsWith(`${PREFIX}/`)) return new Response("another site", { status: 404 });
      return fetch(target + pathname.slice(PREFIX.length) + search, {
        method: request.method,
        headers: request.headers,
        body: request.method === "GET" ? null : await request.arrayBuffer(),
        decompress: false,
      });
    },
  });
  const publicUrl = `http://127.0.0.1:${proxy.port}${PREFIX}`;
  network = await startNetwork({
    engineUrl: engine.url,
    coordinatorUrl: publicUrl,
    settings: { PUBLIC_URL: publicUrl },
    onCoordinator: (url) => (target = url),
  });
});

afterAll(async () => {
  await network.stop();
  await proxy.stop(true);
  await engine.close();
});

it("works in every command and service below a path prefix", async () => {
  const { home } = network.client;
  const models = JSON.stringify(await network.run(home, ["models"]));
  const model = engine.models().find(({ kind }) => kind === "chat")?.id ?? "";
  expect(models).toContain(JSON.stringify(model));
  const answer = await fetch(`${network.baseUrl}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model, messages: [{ role: "user", content: "Hi" }] }),
  });
  expect(answer.status).toBe(200);
  await answer.arrayBuffer();
  await expect
    .poll(async () => (await network.balanceOf(network.worker)).total_microcredits)
    .toBeGreaterThan(0);
  for (const command of ["nodes", "balance", "transactions", "status"]) {
    expect(await network.run(home, [command])).toMatchObject({ schema: `troop.${command}/1` });
  }
});
