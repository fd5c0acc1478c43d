import { expect, it, onTestFinished } from "vitest";
import { startCoordinator } from "#self-host/coordinator";
import { findRunning } from "#self-host/running-file";
import { operatorOf } from "../coordinator/operators";
import { temporaryFolder } from "./folders";
import { startPgliteOnTcp } from "./pglite-on-tcp";
import { startTcpProxy } from "./tcp-proxy";

/** Starts a coordinator on the same data each time, over a database whose way can be cut. */
async function withDatabase() {
  const postgres = await startPgliteOnTcp();
  onTestFinished(postgres.close);
  const proxy = await startTcpProxy(postgres.port);
  onTestFinished(proxy.close);
  const dataDir = temporaryFolder();
  const databaseUrl = `postgres://postgres@127.0.0.1:${proxy.port}/postgres`;
  const start = async () => {
    const started = await startCoordinator({ dataDir, host: "127.0.0.1", port: 0, databaseUrl });
    onTestFinished(started.stop);
    return { ...started, dataDir };
  };
  return { proxy, start };
}

it("writes what still waits behind its answers before its stores close, and stops in order also where they are away", async () => {
  const { proxy, start } = await withDatabase();
  const first = await start();
  const authorization = `Basic ${Buffer.from("admin:a guess").toString("base64")}`;
  const guess = (url: string) => fetch(`${url}/admin/audit`, { headers: { authorization } });
  expect((await guess(first.url)).status).toBe(401);
  // The event of it is written a quarter of a second later.
  await first.stop();

  const second = await start();
  const refused = () => operatorOf(() => second).events("event_type=operator_refused");
  expect(await refused()).toHaveLength(1);
  expect((await guess(second.url)).status).toBe(401);
  proxy.cut();
  await second.stop();
  await expect(fetch(`${second.url}/health`)).rejects.toThrow();
  expect(findRunning(second.dataDir)).toBeUndefined();
});
