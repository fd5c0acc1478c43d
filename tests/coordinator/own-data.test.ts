import { expect, it } from "vitest";
import { DeviceCode } from "#protocol/device";
import { NodePage } from "#protocol/directory";
import { OwnData } from "#protocol/own-data";
import { Problem } from "#protocol/problem";
import { useCoordinator } from "#support/coordinator";
import type { TestPeer } from "#support/test-peer";
import { membersOf } from "./members";
import { operatorOf } from "./operators";
import { PASSWORD, peopleOf } from "./people";

const coordinator = useCoordinator({ STARTER_CREDITS: "100" });
const { ask, person } = peopleOf(coordinator);
const { ackOf, authorize, join, receiptOf, serve, submit } = membersOf(coordinator);
const { call: asOperator } = operatorOf(coordinator);
type Person = Awaited<ReturnType<typeof person>>;

const code = async (answer: Response) => Problem.parse(await answer.json()).code;
const leave = (who: Person, password: string) => who.ask("/auth/delete", { body: { password } });

async function link(peer: TestPeer, to: Person, name?: string): Promise<void> {
  const begun = DeviceCode.parse(
    await (await peer.call("/auth/device", { body: { name } })).json(),
  );
  await to.ask("/auth/device/decide", { body: { user_code: begun.user_code, approve: true } });
  const { device_code } = begun;
  expect((await peer.call("/auth/device/token", { body: { device_code } })).status).toBe(200);
}

/** A person with a client and a node that served it, and one that was signed out. */
async function scene() {
  const model = `own/${crypto.randomUUID()}`;
  const [somebody, client, lost] = [await person(), await join(), await join()];
  const node = await serve(model);
  await link(client, somebody, "laptop");
  await link(node, somebody);
  await link(lost, somebody, "lost");
  await somebody.ask(`/auth/peers/${lost.identity.peerId}/revoke`, { method: "POST" });
  const granted = await authorize(client, { model, budget: 1_000_000 });
  const [receipt, ack] = [receiptOf(granted), ackOf(node, granted)];
  await submit(node, [granted], [receipt]);
  await submit(client, [granted], { acks: [ack] });
  return { somebody, client, node, lost, granted };
}

it("exports all that is kept about a person, and no secret", async () => {
  const { somebody, client, node, lost, granted } = await scene();
  const answer = await somebody.ask("/auth/export");
  expect(answer.headers.get("content-disposition")).toContain("attachment");
  expect(answer.headers.get("cache-control")).toBe("no-store");
  const text = await answer.text();
  const data = OwnData.strict().parse(JSON.parse(text));
  expect(data.user).toMatchObject({ id: somebody.user, email: somebody.email });
  const ids = [client, node, lost].map(({ identity }) => identity.peerId);
  expect(new Set(data.peers.map((peer) => peer["id"]))).toEqual(new Set(ids));
  expect(data.sessions).toHaveLength(1);
  expect(data.leases).toMatchObject([{ id: granted.lease_id }]);
  expect(data.receipts).toMatchObject([{ lease_id: granted.lease_id, engine_ms: 2 }]);
  expect(data.acks).toMatchObject([{ lease_id: granted.lease_id, wall_ms: 3 }]);
  const types = new Set(data.transactions.map((row) => row["type"]));
  expect(types).toEqual(new Set(["starter_grant", "starter_return", "merge", "hold"]));
  expect(data.shortened).toEqual([]);
  for (const secret of [/scrypt/, /hash/i, /password/i, PASSWORD, somebody.token]) {
    expect(text).not.toMatch(secret);
  }
});

it("exports nothing of anybody else's", async () => {
  const [{ granted }, other] = [await scene(), await person()];
  const text = await (await other.ask("/auth/export")).text();
  expect(text).not.toContain(granted.lease_id);
  expect(OwnData.parse(JSON.parse(text)).peers).toEqual([]);
});

it("deletes an account for who knows its password, not for who has but a session", async () => {
  const { somebody } = await scene();
  expect(await code(await leave(somebody, "not the password"))).toBe("login_failed");
  expect((await somebody.ask("/auth/me")).status).toBe(200);
  expect(await code(await ask("/auth/delete", { body: { password: PASSWORD } }))).toBe(
    "session_missing",
  );
});

it("leaves nothing behind that names the person, and no machine that can go on", async () => {
  const { somebody, client, node } = await scene();
  const registration = await node.register();
  expect((await leave(somebody, PASSWORD)).status).toBe(204);

  expect(await code(await somebody.ask("/auth/me"))).toBe("session_missing");
  const again = await ask("/auth/login", { body: { email: somebody.email, password: PASSWORD } });
  expect(await code(again)).toBe("login_failed");
  expect(await code(await client.call("/authorize", { body: { model: "m" } }))).toBe(
    "peer_revoked",
  );
  expect(await code(await client.call("/register", { body: {} }))).toBe("peer_revoked");
  expect(await code(await client.call(`/users/${somebody.user}/balance`))).toBe("not_found");
  expect(await code(await node.beat(registration))).toBe("enrolment_invalid");
  const nodes = NodePage.parse(await (await (await join()).call("/nodes")).json());
  expect(JSON.stringify(nodes)).not.toContain(somebody.user);
  expect((await asOperator("/admin/ledger/check")).status).toBe(200);
  expect(await (await asOperator("/admin/ledger/check")).json()).toMatchObject({
    offender_count: 0,
  });
});

it("frees the email for a new account, which has none of the old one's credits or machines", async () => {
  const { somebody, client } = await scene();
  await leave(somebody, PASSWORD);
  const renewed = await person(somebody.email);
  expect(renewed.user).not.toBe(somebody.user);
  expect(await (await renewed.ask("/auth/peers")).json()).toEqual({ peers: [] });
  await link(client, renewed);
  const balance = await client.call(`/users/${renewed.user}/balance`);
  expect(await balance.json()).toMatchObject({ total: "100" });
});
