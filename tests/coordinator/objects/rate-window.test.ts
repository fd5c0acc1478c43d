import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Admission, Tier } from "#coordinator/domain/rate-tiers";

const TIER: Tier = { name: "t", limit: 10, windowMs: 60_000 };
const NOW = Date.UTC(2030, 0, 1);

let script = "";
let folder = "";
let running: Miniflare | undefined;
let names = 0;

beforeAll(async () => {
  const bundle = await Bun.build({
    entrypoints: [fileURLToPath(new URL("./rate-window-worker.ts", import.meta.url))],
    target: "browser",
    conditions: ["workerd", "worker"],
    external: ["cloudflare:workers"],
  });
  script = (await bundle.outputs[0]?.text()) ?? "";
  folder = mkdtempSync(join(tmpdir(), "troop-windows-"));
  running = start();
});
afterAll(async () => {
  await running?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

function start(): Miniflare {
  return new Miniflare({
    modules: true,
    script,
    compatibilityDate: "2026-07-01",
    compatibilityFlags: ["nodejs_compat"],
    cf: false,
    durableObjects: { RATE_WINDOW: { className: "RateWindow", useSQLite: true } },
    durableObjectsPersist: folder,
  });
}

/** The object leaves memory with its process; what it wrote stays. */
async function evict(): Promise<void> {
  await running?.dispose();
  running = start();
}

type Turn = {
  readonly atMs?: number;
  readonly times?: number;
  readonly alarm?: boolean;
  readonly tier?: Tier;
};

async function hit(
  name: string,
  { atMs = NOW, times = 1, alarm = false, tier = TIER }: Turn = {},
): Promise<{
  admitted: number;
  last: Admission;
  rows: number;
  written: number;
  alarmAtMs: number | null;
}> {
  const asked = { name, tier, nowMs: atMs, times, alarm };
  const answer = await running?.dispatchFetch("http://worker.test/", {
    method: "POST",
    body: JSON.stringify(asked),
  });
  const said = (await answer?.json()) as {
    admissions: Admission[];
    rows: number;
    written: number;
    alarmAtMs: number | null;
  };
  const last = said.admissions.at(-1) ?? { admitted: true, remaining: 0, resetSeconds: 0 };
  return {
    admitted: said.admissions.filter((one) => one.admitted).length,
    last,
    rows: said.rows,
    written: said.written,
    alarmAtMs: said.alarmAtMs,
  };
}

/** Hits are written together, a little later; no idle object is evicted before. */
async function untilWritten(name: string, hits: number): Promise<void> {
  while ((await hit(name, { times: 0 })).written !== hits) await Bun.sleep(50);
}

const newName = (): string => `subject-${++names}`;

it("admits exactly the limit of hits that race", async () => {
  expect((await hit(newName(), { times: 50 })).admitted).toBe(10);
});

it("counts down, and then says when there is room again", async () => {
  const name = newName();
  expect((await hit(name)).last).toMatchObject({ admitted: true, remaining: 9, resetSeconds: 60 });
  expect((await hit(name, { times: 9, atMs: NOW + 30_000 })).last.remaining).toBe(0);
  const refused = { admitted: false, remaining: 0, resetSeconds: 30 };
  expect((await hit(name, { atMs: NOW + 30_000 })).last).toMatchObject(refused);
});

it("slides: at the edge of the window one leaves for each that may come", async () => {
  const name = newName();
  await hit(name);
  await hit(name, { times: 9, atMs: NOW + 30_000 });
  expect((await hit(name, { atMs: NOW + 59_999 })).admitted).toBe(0);
  expect((await hit(name, { times: 5, atMs: NOW + 60_000 })).admitted).toBe(1);
  expect((await hit(name, { times: 20, atMs: NOW + 90_000 })).admitted).toBe(9);
});

it("counts no hit that was refused: whoever keeps trying is not kept out for it", async () => {
  const name = newName();
  await hit(name, { times: 10 });
  await hit(name, { times: 50, atMs: NOW + 59_000 });
  expect((await hit(name, { atMs: NOW + 60_000 })).admitted).toBe(1);
});

it("forgets nothing of a tier that fails closed, even where its process dies at once", async () => {
  const name = newName();
  const tier: Tier = { ...TIER, failsClosed: true };
  await hit(name, { times: 10, tier });
  await running?.dispose();
  running = start();
  expect((await hit(name, { tier })).admitted).toBe(0);
});

it("keeps subjects apart", async () => {
  const name = newName();
  await hit(name, { times: 10 });
  expect((await hit(newName())).admitted).toBe(1);
  expect((await hit(name)).admitted).toBe(0);
});

it("forgets nothing when it is evicted", async () => {
  const [half, full] = [newName(), newName()];
  await hit(half, { times: 5 });
  await hit(full, { times: 10 });
  await untilWritten(half, 5);
  await untilWritten(full, 10);
  await evict();
  expect((await hit(half, { times: 20 })).admitted).toBe(5);
  expect((await hit(full)).admitted).toBe(0);
  await untilWritten(half, 10);
  await evict();
  expect((await hit(half)).admitted).toBe(0);
  expect((await hit(half, { times: 20, atMs: NOW + 60_000 })).admitted).toBe(10);
});

it("deletes at its alarm what is over and nothing else, however often it rings", async () => {
  const name = newName();
  await hit(name, { times: 3 });
  await hit(name, { times: 3, atMs: NOW + 30_000 });
  expect((await hit(name, { times: 0, atMs: NOW + 60_000, alarm: true })).rows).toBe(1);
  expect((await hit(name, { times: 0, atMs: NOW + 60_000, alarm: true })).rows).toBe(1);
  expect((await hit(name, { times: 20, atMs: NOW + 60_000 })).admitted).toBe(7);
  expect((await hit(name, { times: 0, atMs: NOW + 120_000, alarm: true })).rows).toBe(0);
  expect((await hit(name, { times: 20, atMs: NOW + 120_000 })).admitted).toBe(10);
});

it("has itself woken when what it wrote is over, and no more once nothing is left", async () => {
  const name = newName();
  const alarmAt = async (turn: Turn) => (await hit(name, { times: 0, ...turn })).alarmAtMs;
  await hit(name, { times: 3 });
  await hit(name, { atMs: NOW + 30_000 });
  await expect.poll(() => alarmAt({})).toBe(NOW + 60_000);
  expect(await alarmAt({ atMs: NOW + 60_000, alarm: true })).toBe(NOW + 90_000);
  expect(await alarmAt({ atMs: NOW + 90_000, alarm: true })).toBeNull();
});

it("keeps no more rows than a window has slots, however long it is used", async () => {
  const name = newName();
  for (let second = 0; second < 130; second += 1) await hit(name, { atMs: NOW + second * 6_000 });
  expect((await hit(name, { atMs: NOW + 130 * 6_000 })).rows).toBeLessThanOrEqual(11);
});

it("takes a tier that the operator made smaller at its word", async () => {
  const name = newName();
  await hit(name, { times: 8 });
  expect((await hit(name, { tier: { ...TIER, limit: 5 } })).admitted).toBe(0);
});
