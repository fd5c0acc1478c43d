import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { Problem } from "#protocol/problem";
import { startCoordinator } from "#self-host/coordinator";
import { testStores } from "#support/coordinator";
import { newPeer } from "#support/test-peer";
import { startRedisOnTcp } from "../self-host/redises";
import { startTcpProxy } from "../self-host/tcp-proxy";

it("says that a store does not answer and when to come back, and goes on once it does", async () => {
  const redis = await startRedisOnTcp();
  const proxy = await startTcpProxy(redis.port);
  const dataDir = mkdtempSync(join(tmpdir(), "troop-away-"));
  const coordinator = await startCoordinator({
    dataDir,
    host: "127.0.0.1",
    port: 0,
    databaseUrl: testStores.databaseUrl,
    redisUrl: `redis://127.0.0.1:${proxy.port}`,
  });
  onTestFinished(async () => {
    await coordinator.stop();
    await proxy.close();
    await redis.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const peer = await newPeer(coordinator.url);
  await peer.register();
  expect((await peer.call("/v1/models")).status).toBe(200);

  proxy.cut();
  const refused = await peer.call("/v1/models");
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "2"]);
  expect(Problem.parse(await refused.json())).toMatchObject({
    code: "store_unavailable",
    detail: "Try again.",
  });
  proxy.restore();
  await expect.poll(async () => (await peer.call("/v1/models")).status).toBe(200);
});
