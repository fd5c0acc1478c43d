import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { DeviceCode } from "#protocol/device";
import { Registration } from "#protocol/register";
import { Balance } from "#protocol/statement";
import { startCoordinator } from "#self-host/coordinator";
import { testStores } from "#support/coordinator";
import { newPeer, type TestPeer } from "#support/test-peer";
import { newEmail, PASSWORD } from "./people";

const WINDOW = 6;
const STARTER = 100;
const settings = {
  ALLOWED_RANGES: "127.0.0.0/8",
  REGISTRATIONS_PER_HOUR: String(WINDOW),
  STARTER_CREDITS: String(STARTER),
};

/** A coordinator behind a proxy of its operator's, so that a test can come from many addresses. */
async function startBehindProxy() {
  const dataDir = mkdtempSync(join(tmpdir(), "troop-identities-"));
  const proxies = { ranges: ["127.0.0.0/8"], header: "x-forwarded-for" };
  const options = { dataDir, host: "127.0.0.1", port: 0, ...testStores, settings, proxies };
  const running = await startCoordinator(options);
  onTestFinished(async () => {
    await running.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return running.url;
}

/** Few enough that none waits longer than the coordinator lets it, however busy the machine is. */
const AT_ONCE = 8;

/** Runs all, some at a time. */
async function inBatches<Value>(
  count: number,
  run: (place: number) => Promise<Value>,
): Promise<Value[]> {
  const all: Value[] = [];
  for (let place = 0; place < count; place += AT_ONCE) {
    const some = Math.min(AT_ONCE, count - place);
    const batch = Array.from({ length: some }, (_, at) => run(place + at));
    all.push(...(await Promise.all(batch)));
  }
  return all;
}

/** Addresses of this run alone: on real servers the windows are shared, too. */
const [a = 0, b = 0] = crypto.getRandomValues(new Uint8Array(2));

it("gives 1,000 fresh identities of one address what the window allows, whatever way they come in", async () => {
  const url = await startBehindProxy();
  const from = { "x-forwarded-for": `10.${a}.${b}.7` };
  const people: string[] = [];
  const peers: { peer: TestPeer; user: string }[] = [];
  const statuses = await inBatches(1_000, async (place) => {
    if (place % 2 === 0) {
      const peer = await newPeer(url);
      const answer = await peer.call("/register", { body: {}, headers: from });
      if (answer.ok) {
        peers.push({ peer, user: Registration.parse(await answer.json()).user_id });
      }
      return answer.status;
    }
    const answer = await fetch(`${url}/auth/register`, {
      method: "POST",
      headers: { ...from, "content-type": "application/json" },
      body: JSON.stringify({ email: newEmail(), password: PASSWORD, session: "bearer" }),
    });
    if (answer.ok) people.push(((await answer.json()) as { token: string }).token);
    return answer.status;
  });
  expect(statuses.filter((status) => status < 300)).toHaveLength(WINDOW);
  expect(statuses.filter((status) => status === 429)).toHaveLength(1_000 - WINDOW);

  // Every person gets a machine that nobody knows, which brings a person's starter credits.
  const linked = await Promise.all(
    people.map(async (token) => {
      const peer = await newPeer(url);
      const begun = DeviceCode.parse(await (await peer.call("/auth/device", { body: {} })).json());
      await fetch(`${url}/auth/device/decide`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({ user_code: begun.user_code, approve: true }),
      });
      const body = { device_code: begun.device_code };
      const { user_id: user } = (await (
        await peer.call("/auth/device/token", { body })
      ).json()) as { user_id: string };
      return { peer, user };
    }),
  );
  const balances = await Promise.all(
    [...peers, ...linked].map(async ({ peer, user }) =>
      Balance.parse(await (await peer.call(`/users/${user}/balance`)).json()),
    ),
  );
  const total = balances.reduce((sum, balance) => sum + Number(balance.total), 0);
  expect(total).toBe(WINDOW * STARTER);
});

it("admits five times as many from the addresses around, and no more; a /64 is one address", async () => {
  const url = await startBehindProxy();
  const register = async (address: string) => {
    const peer = await newPeer(url);
    return (await peer.call("/register", { body: {}, headers: { "x-forwarded-for": address } }))
      .status;
  };
  const around = await inBatches(100, (place) => register(`10.${b}.${a}.${place}`));
  expect(around.filter((status) => status === 200)).toHaveLength(5 * WINDOW);
  expect(await register(`10.${b}.${(a + 1) % 256}.1`)).toBe(200);

  const line = `2001:db8:${a}:${b}`;
  const addresses = await inBatches(30, (place) => register(`${line}::${place}`));
  expect(addresses.filter((status) => status === 200)).toHaveLength(WINDOW);
});

it("renews what is known while nobody new gets in", async () => {
  const url = await startBehindProxy();
  const from = { "x-forwarded-for": `10.${a}.${(b + 1) % 256}.9` };
  const peers = await Promise.all(Array.from({ length: WINDOW }, () => newPeer(url)));
  for (const turn of [1, 2, 3]) {
    const answers = await Promise.all(
      peers.map((peer) => peer.call("/register", { body: {}, headers: from })),
    );
    expect([turn, answers.map(({ status }) => status)]).toEqual([turn, peers.map(() => 200)]);
  }
  const late = await newPeer(url);
  expect((await late.call("/register", { body: {}, headers: from })).status).toBe(429);
});
