import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { type CoordinatorApi, coordinatorApi } from "#peer/coordinator/api";
import { CoordinatorProblem, CoordinatorUnreachable } from "#peer/coordinator/errors";
import { enrol, withEnrolment } from "#peer/home/enrol";
import type { Home } from "#peer/home/home";
import { openHome } from "#peer/home/open-home";
import { readSettings } from "#peer/home/settings";
import {
  type Answer,
  type FakeCoordinator,
  fakeCoordinator,
  problem,
  registrationOf,
} from "../coordinator/fake-coordinator";
import { temporaryFolder } from "./temporary-folder";

const HOUR_MS = 3_600_000;
const QUICK = { retryDelayMs: 1, discoveryMs: 1_000 };

type SetUp = { home: Home; api: CoordinatorApi; coordinator: FakeCoordinator };

async function setUp(register?: Answer): Promise<SetUp> {
  const coordinator = fakeCoordinator({
    "POST /register":
      register ?? ((call) => Response.json(registrationOf(call.peerId, Date.now()))),
  });
  onTestFinished(() => coordinator[Symbol.asyncDispose]());
  const home = await openHome(await temporaryFolder());
  return { home, coordinator, api: apiOf(home, coordinator.baseUrl) };
}

function apiOf(home: Home, baseUrl: string): CoordinatorApi {
  return coordinatorApi({ baseUrl, identity: home.identity, limits: QUICK });
}

it("registers once, then answers from the home without a call", async () => {
  const { home, api, coordinator } = await setUp();
  const first = await enrol(home, api);
  expect(await enrol(home, api)).toEqual(first);
  expect(coordinator.seen).toHaveLength(1);
});

it("renews when less than six hours are left", async () => {
  const { home, api, coordinator } = await setUp();
  await enrol(home, api);
  await enrol(home, api, { nowMs: () => Date.now() + 17.9 * HOUR_MS });
  expect(coordinator.seen).toHaveLength(1);
  await enrol(home, api, { nowMs: () => Date.now() + 18.1 * HOUR_MS });
  expect(coordinator.seen).toHaveLength(2);
});

it("renews on request, and when the coordinator publishes other keys", async () => {
  const { home, api, coordinator } = await setUp();
  const { jwks } = await enrol(home, api);
  await enrol(home, api, { jwks });
  expect(coordinator.seen).toHaveLength(1);
  await enrol(home, api, { renew: true });
  expect(coordinator.seen).toHaveLength(2);
  const rotated = { keys: jwks.keys.map((key) => ({ ...key, x: "B".repeat(43) })) };
  await enrol(home, api, { jwks: rotated });
  expect(coordinator.seen).toHaveLength(3);
});

it("reads no file while what is known is good, and does once it ends soon or was refused", async () => {
  const { home, api, coordinator } = await setUp();
  const known = registrationOf(home.identity.peerId, Date.now());
  expect(await enrol(home, api, { known })).toBe(known);
  expect(await readdir(home.dir)).not.toContain("coordinators");
  expect(coordinator.seen).toHaveLength(0);
  await enrol(home, api, { known, nowMs: () => Date.now() + 18.1 * HOUR_MS });
  expect(coordinator.seen).toHaveLength(1);
  await enrol(home, api, { known, renew: true });
  expect(coordinator.seen).toHaveLength(2);
});

it("goes on with what is left of an enrolment while the coordinator takes no registrations", async () => {
  const answers = [
    (peerId: string) => Response.json(registrationOf(peerId, Date.now())),
    () => problem("rate_limited"),
  ];
  const { home, api, coordinator } = await setUp((call) => {
    const answer = answers.shift() ?? (() => problem("forbidden"));
    return answer(call.peerId);
  });
  const first = await enrol(home, api);
  const nowMs = () => Date.now() + 23 * HOUR_MS;
  expect(await enrol(home, api, { nowMs })).toEqual(first);
  expect(coordinator.seen.length).toBeGreaterThan(1);
  await expect(enrol(home, api, { nowMs })).rejects.toBeInstanceOf(CoordinatorProblem);
});

it("goes on with what is left of an enrolment while the coordinator is down, but not past its end", async () => {
  const { home, api, coordinator } = await setUp();
  const first = await enrol(home, api);
  await coordinator[Symbol.asyncDispose]();
  const inHours = (hours: number) => () => Date.now() + hours * HOUR_MS;
  expect(await enrol(home, api, { nowMs: inHours(23) })).toEqual(first);
  await expect(enrol(home, api, { nowMs: inHours(25) })).rejects.toBeInstanceOf(
    CoordinatorUnreachable,
  );
  await expect(enrol(home, api, { renew: true })).rejects.toBeInstanceOf(CoordinatorUnreachable);
});

it("keeps coordinators apart, and remembers the one used last", async () => {
  const { home, api } = await setUp();
  const other = await setUp();
  await enrol(home, api);
  expect(await readSettings(home.dir)).toEqual({ coordinator_url: api.baseUrl });
  await enrol(home, apiOf(home, other.coordinator.baseUrl));
  expect(other.coordinator.seen).toHaveLength(1);
  expect(await readSettings(home.dir)).toEqual({ coordinator_url: other.coordinator.baseUrl });
  await enrol(home, api);
  expect(await readSettings(home.dir)).toEqual({ coordinator_url: api.baseUrl });
});

it("does not remember a coordinator that refused or did not answer", async () => {
  const { home, api } = await setUp(() => problem("forbidden"));
  await expect(enrol(home, api)).rejects.toBeInstanceOf(CoordinatorProblem);
  expect(await readSettings(home.dir)).toEqual({});
});

it("keeps its files from other users of the machine, and leaves no temporary ones", async () => {
  const { home, api } = await setUp();
  await enrol(home, api);
  const folder = join(home.dir, "coordinators");
  const names = await readdir(folder);
  expect(names).toEqual([expect.stringMatching(/^[0-9a-f]{16}\.json$/)]);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(join(folder, names[0] ?? ""))).mode & 0o777).toBe(0o600);
  expect((await readdir(home.dir)).toSorted()).toEqual([
    "coordinators",
    "identity.json",
    "settings.json",
  ]);
});

it("registers anew where the file is damaged or another peer's", async () => {
  const { home, api, coordinator } = await setUp();
  await enrol(home, api);
  const folder = join(home.dir, "coordinators");
  const path = join(folder, (await readdir(folder))[0] ?? "");
  const good = await readFile(path, "utf8");
  for (const text of ["", "{}", good.replaceAll(home.identity.peerId, "x".repeat(43))]) {
    const before = coordinator.seen.length;
    await writeFile(path, text);
    await enrol(home, api);
    expect(coordinator.seen).toHaveLength(before + 1);
  }
});

it("does not take a registration about another peer", async () => {
  const { home, api } = await setUp(() =>
    Response.json(registrationOf("x".repeat(43), Date.now())),
  );
  await expect(enrol(home, api)).rejects.toThrow("another peer");
});

it("registers again, once, where a coordinator has forgotten this peer", async () => {
  const { home, api, coordinator } = await setUp();
  await enrol(home, api);
  let refusals = 1;
  coordinator.answers["GET /v1/models"] = () =>
    refusals-- > 0 ? problem("not_registered") : Response.json({ object: "list", data: [] });
  await expect(withEnrolment(home, api, () => api.models())).resolves.toEqual({
    object: "list",
    data: [],
  });
  refusals = 1;
  const known = await enrol(home, api);
  const used: unknown[] = [];
  const models = (registration: unknown) => {
    used.push(registration);
    return api.models();
  };
  await withEnrolment(home, api, models, known);
  expect(used).toHaveLength(2);
  expect(used[0]).toBe(known);
  refusals = 2;
  await expect(withEnrolment(home, api, () => api.models())).rejects.toBeInstanceOf(
    CoordinatorProblem,
  );
});
