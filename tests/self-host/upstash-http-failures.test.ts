import { createServer, type Socket } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { LoopbackServer } from "#self-host/loopback-server";
import { openRedisLink, type RedisLink } from "#self-host/redis-link";
import { SelfHostError } from "#self-host/self-host-error";
import { serveUpstashHttp } from "#self-host/upstash-http";
import { startRedisOnTcp } from "./redises";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy";

const SECRET = "a-secret_of-the-test";
/** Ample for a slow machine to connect and answer in. */
const COMMAND_TIMEOUT_MS = 1_500;

let redisServer: Awaited<ReturnType<typeof startRedisOnTcp>>;
let proxy: TcpProxy;
let link: RedisLink;
let server: LoopbackServer;
beforeAll(async () => {
  redisServer = await startRedisOnTcp();
  proxy = await startTcpProxy(redisServer.port);
  link = await openRedisLink({
    redisUrl: `redis://127.0.0.1:${proxy.port}`,
    commandTimeoutMs: COMMAND_TIMEOUT_MS,
  });
  server = serveUpstashHttp(link.redis, { secret: SECRET, bodyLimitBytes: 10_000 });
});
afterAll(async () => {
  await server.close();
  link.close();
  await proxy.close();
  await redisServer.close();
});

function post(
  path: string,
  body: BodyInit,
  headers: Record<string, string> = { authorization: `Bearer ${SECRET}` },
): Promise<Response> {
  return fetch(server.origin + path, { method: "POST", headers, body });
}
const PATHS = ["/", "/pipeline", "/multi-exec"];
const bodyFor = (path: string, command: unknown[]): string =>
  JSON.stringify(path === "/" ? command : [command]);

it.each(PATHS)("lets nobody in at %s without the secret", async (path) => {
  const body = bodyFor(path, ["SET", "intruder", "1"]);
  for (const authorization of [undefined, "", "Bearer", `Bearer ${SECRET}x`, `Basic ${SECRET}`]) {
    const response = await post(path, body, authorization === undefined ? {} : { authorization });
    expect(response.status).toBe(401);
    expect(await response.json()).toEqual({ error: expect.stringContaining("Unauthorized") });
  }
  expect(await (await post("/", '["EXISTS","intruder"]')).json()).toEqual({ result: 0 });
});

it.each(PATHS)("answers what is no command at %s with 400 and none of its words", async (path) => {
  for (const body of ["{", "{}", "[]", bodyFor(path, []), bodyFor(path, ["SET", { secret: 1 }])]) {
    if (body === "[]" && path !== "/") continue;
    const response = await post(path, body);
    expect(response.status).toBe(400);
    expect(await response.text()).not.toContain("secret");
  }
});

it("answers other paths and bodies over the limit as what they are", async () => {
  expect((await post("/get/x", "[]")).status).toBe(404);
  const get = await fetch(server.origin, { headers: { authorization: `Bearer ${SECRET}` } });
  expect(get.status).toBe(404);
  expect((await post("/", "x".repeat(10_001))).status).toBe(413);
});

it("answers 503 at once while Redis is away, and works again when it is back", async () => {
  expect(await (await post("/", '["SET","k","v"]')).json()).toEqual({ result: "OK" });
  proxy.cut();
  for (const path of PATHS) {
    const response = await post(path, bodyFor(path, ["GET", "k"]));
    expect(response.status).toBe(503);
    expect(await response.text()).toBe("Redis does not answer");
  }
  proxy.restore();
  await expect
    .poll(async () => (await post("/", '["GET","k"]')).status, { interval: 20 })
    .toBe(200);
});

it("answers 503 at the limit while Redis keeps still, and recovers", async () => {
  proxy.freeze();
  for (const path of PATHS) {
    expect((await post(path, bodyFor(path, ["GET", "k"]))).status).toBe(503);
  }
  // What the proxy swallowed never comes: only a new connection helps.
  await expect.poll(() => link.redis.status, { interval: 20 }).not.toBe("ready");
  proxy.restore();
  await expect
    .poll(async () => (await post("/", '["GET","k"]')).status, { interval: 20 })
    .toBe(200);
});

it("tells the operator about a Redis that is not there, keeps still, or is none", async () => {
  const open = (redisUrl: string): Promise<unknown> =>
    openRedisLink({ redisUrl, commandTimeoutMs: COMMAND_TIMEOUT_MS }).catch((e: unknown) => e);

  const still = createServer((socket: Socket) => socket.on("error", () => undefined));
  await once(still.listen(0, "127.0.0.1"), "listening");
  const { port } = still.address() as AddressInfo;
  expect(await open(`redis://:hidden@127.0.0.1:${port}`)).toBeInstanceOf(SelfHostError);
  still.close();

  const refused = await open(`redis://:hidden@127.0.0.1:${port}`);
  expect(refused).toBeInstanceOf(SelfHostError);
  expect((refused as SelfHostError).message).not.toContain("hidden");
  expect(await open("http://127.0.0.1")).toBeInstanceOf(SelfHostError);
});
