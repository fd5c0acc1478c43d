import { decodeProtectedHeader } from "jose";
import { expect, it, onTestFinished } from "vitest";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Rotation } from "#protocol/admin";
import { Authorization, Extension } from "#protocol/authorize";
import { Jwks, type Registration } from "#protocol/register";
import { startCoordinator } from "#self-host/coordinator";
import { testStores, useCoordinator } from "#support/coordinator";
import { newPeer } from "#support/test-peer";
import { membersOf } from "./members";
import { operatorOf } from "./operators";

const coordinator = useCoordinator({ STARTER_CREDITS: "1000000" });
const operator = operatorOf(coordinator);
const { join: enrol, receiptOf, submit } = membersOf(coordinator);
const MODEL = "rotation/model";
/** Two heartbeats each, of the 120 a minute that a peer may send. */
const TURNS_OF_A_PEER = 40;

const kidOf = (jws: string) => decodeProtectedHeader(jws).kid;

async function rotate(lead_seconds: number): Promise<Rotation> {
  return Rotation.parse(await (await operator.call("/admin/keys/rotate", { lead_seconds })).json());
}

async function shown(url = coordinator().url): Promise<string[]> {
  const jwks = Jwks.parse(await (await fetch(`${url}/.well-known/jwks.json`)).json());
  return jwks.keys.map((key) => key.kid);
}

it("rotates twice under traffic of every kind without one failed request", async () => {
  const models = [{ id: MODEL, engine: "ollama", state: "loaded" } as const];
  const signedBy = new Set<string | undefined>();
  const failed: number[] = [];
  const over = new AbortController();

  /** A node and a client with enrolments of their own: as many calls as a peer may make in a minute, however fast they are. */
  async function someTurns(): Promise<void> {
    const node = await newPeer(coordinator().url);
    const beat = (registration: Registration) => node.beat(registration, { models });
    const before = await node.register();
    const client = await enrol();
    for (let turn = 0; turn < TURNS_OF_A_PEER && !over.signal.aborted; turn += 1) {
      const answers = [await beat(before), await beat(await node.register())];
      const asked = await client.call("/authorize", { body: { model: MODEL, budget: 1_000 } });
      answers.push(asked);
      if (asked.ok) {
        const granted = Authorization.parse(await asked.json());
        signedBy.add(kidOf(granted.ticket));
        const body = { ticket: granted.ticket, add: 1 };
        answers.push(await client.call("/authorize/extend", { body }));
        // A node that looks the key up finds it.
        if (!(await shown()).includes(kidOf(granted.ticket) ?? "")) failed.push(0);
      }
      failed.push(...answers.filter((one) => !one.ok).map((one) => one.status));
    }
  }
  async function flow(): Promise<void> {
    while (!over.signal.aborted) await someTurns();
  }
  const flows = [flow(), flow(), flow()];
  await expect.poll(() => signedBy.size, { timeout: 45_000 }).toBe(1);
  const first = await rotate(0);
  await expect.poll(() => signedBy.has(first.kid), { timeout: 45_000 }).toBe(true);
  const second = await rotate(1);
  expect(await shown()).toContain(second.kid);
  await expect.poll(() => signedBy.has(second.kid), { timeout: 45_000 }).toBe(true);
  over.abort();
  await Promise.all(flows);
  expect(failed).toEqual([]);
  expect(signedBy.size).toBe(3);
});

it("takes tickets and enrolments of a key that signs no more, and settles under them", async () => {
  const node = await newPeer(coordinator().url);
  const registration = await node.register();
  const model = `${MODEL}/old`;
  const models = [{ id: model, engine: "ollama", state: "loaded" } as const];
  await node.beat(registration, { models });
  const client = await enrol();
  const asked = await client.call("/authorize", { body: { model, budget: 1_000_000 } });
  const granted = Authorization.parse(await asked.json());
  const { kid } = await rotate(0);
  await expect
    .poll(async () => kidOf((await client.register()).enrolment), { timeout: 45_000 })
    .toBe(kid);

  expect((await node.beat(registration, { models })).status).toBe(200);
  const results = await submit(node, [granted], [receiptOf(granted)]);
  expect(results).toMatchObject([{ status: "settled" }]);
  const body = { ticket: granted.ticket, add: 1_000 };
  const extended = Extension.parse(await (await client.call("/authorize/extend", { body })).json());
  expect(kidOf(extended.ticket)).not.toBe(kidOf(granted.ticket));
  const rotations = await operator.awaitEvents("", "keys_rotated", 1);
  expect(rotations.map((event) => event.details["kid"])).toContain(kid);
});

it("signs with the new key after a restart, too, and shows no private part anywhere", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "troop-keys-"));
  const start = () => startCoordinator({ dataDir, host: "127.0.0.1", port: 0, ...testStores });
  let running = await start();
  onTestFinished(async () => {
    await running.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const other = operatorOf(() => ({ ...running, dataDir }));
  const answer = await other.call("/admin/keys/rotate", { lead_seconds: 0 });
  const { kid } = Rotation.parse(await answer.json());
  await running.stop();
  running = await start();
  const jwks = await (await fetch(`${running.url}/.well-known/jwks.json`)).text();
  expect(Jwks.parse(JSON.parse(jwks)).keys[0]?.kid).toBe(kid);
  expect(jwks).not.toContain('"d"');
});

it("refuses a lead that makes no sense, and rotates for nobody but an operator", async () => {
  for (const lead_seconds of [-1, 0.5, 1e9, "soon"]) {
    expect((await operator.call("/admin/keys/rotate", { lead_seconds })).status).toBe(400);
  }
  const stranger = await fetch(`${coordinator().url}/admin/keys/rotate`, { method: "POST" });
  expect(stranger.status).toBe(401);
});
