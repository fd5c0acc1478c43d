import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { TIERS } from "#coordinator/domain/rate-tiers";
import { Problem } from "#protocol/problem";
import { startCoordinator } from "#self-host/coordinator";
import { testStores, useCoordinator } from "#support/coordinator";
import { newPeer } from "#support/test-peer";

const coordinator = useCoordinator({ REGISTRATIONS_PER_HOUR: "7" });

it("admits exactly the limit of requests that race for it", async () => {
  const peers = await Promise.all(Array.from({ length: 40 }, () => newPeer(coordinator().url)));
  const answers = await Promise.all(peers.map((peer) => peer.call("/register", { body: {} })));
  expect(answers.filter((answer) => answer.status === 200)).toHaveLength(7);
  const refused = answers.filter((answer) => answer.status === 429);
  expect(refused).toHaveLength(33);
  for (const { headers } of refused) {
    expect(headers.get("ratelimit-policy")).toContain('"register";q=7;w=3600');
    expect(headers.get("ratelimit")).toMatch(/, "register";r=0;t=\d+$/);
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
  }
});

it("says on every answer what is left, and counts peers apart", async () => {
  const [one, other] = [await newPeer(coordinator().url), await newPeer(coordinator().url)];
  const left = async (peer: typeof one) => {
    const { headers } = await peer.call("/v1/models");
    expect(headers.get("ratelimit-policy")).toBe(`"read";q=${TIERS.read.limit};w=3600`);
    return Number(/^"read";r=(\d+);t=\d+$/.exec(headers.get("ratelimit") ?? "")?.[1]);
  };
  expect(await left(one)).toBe(TIERS.read.limit - 1);
  expect(await left(one)).toBe(TIERS.read.limit - 2);
  expect(await left(other)).toBe(TIERS.read.limit - 1);
});

it("stops telling an address that sends bad proofs what is wrong with them, and still serves good ones from there", async () => {
  const stranger = await newPeer(coordinator().url);
  let last: Response | undefined;
  for (let turn = 0; turn <= TIERS.refused.limit; turn += 50) {
    const bad = Array.from({ length: 50 }, () => fetch(`${coordinator().url}/v1/models`));
    last = (await Promise.all(bad)).at(-1);
  }
  expect(last?.status).toBe(429);
  expect(Problem.parse(await last?.json()).code).toBe("rate_limited");
  expect(last?.headers.get("ratelimit-policy")).toBe(`"refused";q=${TIERS.refused.limit};w=3600`);
  expect((await stranger.call("/v1/models")).status).toBe(200);
});

describe("behind a proxy", () => {
  async function registerFrom(url: string, forwardedFor: string): Promise<number> {
    const peer = await newPeer(url);
    const headers = { "x-forwarded-for": forwardedFor, "cf-connecting-ip": forwardedFor };
    return (await peer.call("/register", { body: {}, headers })).status;
  }

  it("counts clients by the address that the named proxy says, and keeps counting after a restart", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "troop-limits-"));
    const start = () =>
      startCoordinator({
        dataDir,
        host: "127.0.0.1",
        port: 0,
        ...testStores,
        proxies: { ranges: ["127.0.0.1/32"], header: "x-forwarded-for" },
        settings: { ALLOWED_RANGES: "127.0.0.0/8", REGISTRATIONS_PER_HOUR: "2" },
      });
    let running = await start();
    onTestFinished(async () => {
      await running.stop();
      rmSync(dataDir, { recursive: true, force: true });
    });
    const line = (turn: number) => `2001:db8:0:7::${turn}`;
    expect(await registerFrom(running.url, "203.0.113.1")).toBe(200);
    expect(await registerFrom(running.url, "6.6.6.6, 203.0.113.1")).toBe(200);
    expect(await registerFrom(running.url, "7.7.7.7, 203.0.113.1")).toBe(429);
    expect(await registerFrom(running.url, "203.0.113.2")).toBe(200);
    expect(await registerFrom(running.url, line(1))).toBe(200);
    await running.stop();
    running = await start();
    expect(await registerFrom(running.url, "203.0.113.1")).toBe(429);
    expect(await registerFrom(running.url, line(2))).toBe(200);
    expect(await registerFrom(running.url, line(3))).toBe(429);
  });
});
