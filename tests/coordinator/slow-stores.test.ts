import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { Problem } from "#protocol/problem";
import {
  type CoordinatorOptions,
  type RunningCoordinator,
  startCoordinator,
} from "#self-host/coordinator";
import { testStores } from "#support/coordinator";
import { newPeer } from "#support/test-peer";
import { peopleOf } from "./people";

type Started = RunningCoordinator & { readonly dataDir: string };

async function start(options: Partial<CoordinatorOptions> = {}): Promise<Started> {
  const dataDir = mkdtempSync(join(tmpdir(), "troop-slow-"));
  const shared = { dataDir, host: "127.0.0.1", port: 0, ...testStores };
  const running = await startCoordinator({ ...shared, ...options });
  onTestFinished(async () => {
    await running.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return { ...running, dataDir };
}

it("answers 504 where stores that each answer in time take longer together, and needs none to be well", async () => {
  // A registration asks one after another; five seconds is what it may take.
  const { url } = await start({ addLatencyMs: 2_600 });
  expect((await fetch(`${url}/health`)).status).toBe(200);
  const answer = await (await newPeer(url)).call("/register", { body: {} });
  expect(answer.status).toBe(504);
  expect(Problem.parse(await answer.json())).toMatchObject({
    code: "timeout",
    detail: "Try again.",
  });
});

it("lets requests pass whose window cannot be asked, but no try at a password or a code", async () => {
  const started = await start();
  const { url, dataDir } = started;
  const peer = await newPeer(url);
  await peer.register();
  const somebody = await peopleOf(() => started).person();
  // The objects of windows that nobody has asked yet have no place for their database any more.
  rmSync(join(dataDir, "rate-windows"), { recursive: true });
  expect((await peer.call("/v1/models")).status).toBe(200);

  const body = JSON.stringify({
    email: "a@example.org",
    password: "a long one",
    session: "bearer",
  });
  const json = { "content-type": "application/json" };
  const login = await fetch(`${url}/auth/login`, { method: "POST", headers: json, body });
  const password = Buffer.from("admin:whatever").toString("base64");
  const admin = await fetch(`${url}/admin/users`, {
    headers: { authorization: `Basic ${password}` },
  });
  const device = await peer.call("/auth/device", { body: {} });
  const typed = await somebody.ask("/auth/device/find", { body: { user_code: "BCDF-GHJK" } });
  for (const refused of [login, admin, device, typed]) {
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("5");
  }
});
