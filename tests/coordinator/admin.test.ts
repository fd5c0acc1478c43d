import { expect, it } from "vitest";
import { AdminNodePage, AdminUserPage, GrantAnswer, GrantPage } from "#protocol/admin";
import { NodePage } from "#protocol/directory";
import { HeartbeatAnswer } from "#protocol/heartbeat";
import { Problem } from "#protocol/problem";
import type { Registration } from "#protocol/register";
import { useCoordinator } from "#support/coordinator";
import { newPeer } from "#support/test-peer";
import { membersOf } from "./members";
import { operatorOf } from "./operators";

const coordinator = useCoordinator({ STARTER_CREDITS: "10" });
const operator = operatorOf(coordinator);
const { balance, join } = membersOf(coordinator);

const ROUTES = [
  "/admin/audit",
  "/admin/users",
  "/admin/nodes",
  "/admin/grants",
  "/admin/ledger/check",
  "/admin/",
  "/admin/nothing",
];

it.each(ROUTES)("shows %s to nobody without the password", async (path) => {
  const answer = await fetch(coordinator().url + path);
  expect(Problem.parse(await answer.json()).code).toBe("credentials_invalid");
});

async function newNode(model: string) {
  const peer = await newPeer(coordinator().url);
  const registration = await peer.register();
  const beat = (said: Registration = registration) =>
    peer.beat(said, { models: [{ id: model, engine: "ollama", state: "loaded" }] });
  await beat();
  return { ...peer, user: registration.user_id, beat };
}

const suspend = (id: string, reason = "It lied.") =>
  operator.call(`/admin/nodes/${id}/suspend`, { reason });
const reinstate = (id: string) => operator.call(`/admin/nodes/${id}/reinstate`, { reason: "Fine" });

async function nodeListed(user: string) {
  const page = await operator.call(`/admin/nodes?user_id=${user}`);
  return AdminNodePage.parse(await page.json()).nodes[0];
}

it("offers a suspended node to nobody from that moment on, tells it why, and takes it back", async () => {
  const model = "admin/suspended";
  const node = await newNode(model);
  const client = await join();
  const ask = async () =>
    (await client.call("/authorize", { body: { model, budget: 1_000 } })).status;
  expect(await ask()).toBe(200);
  expect(await nodeListed(node.user)).toMatchObject({ node_id: node.identity.peerId, live: true });

  expect((await suspend(node.identity.peerId)).status).toBe(204);
  expect(await ask()).toBe(404);
  const told = HeartbeatAnswer.parse(await (await node.beat()).json());
  expect(told.suspended).toEqual({ reason: "It lied." });
  expect(await ask()).toBe(404);
  const { nodes } = NodePage.parse(await (await client.call("/nodes")).json());
  expect(nodes.map((one) => one.node_id)).not.toContain(node.identity.peerId);
  expect(await nodeListed(node.user)).toMatchObject({
    live: false,
    suspended: { reason: "It lied." },
  });
  // Enrolling again does not help.
  expect(
    HeartbeatAnswer.parse(await (await node.beat(await node.register())).json()),
  ).toHaveProperty("suspended");

  expect((await reinstate(node.identity.peerId)).status).toBe(204);
  expect(HeartbeatAnswer.parse(await (await node.beat()).json()).suspended).toBeUndefined();
  expect(await ask()).toBe(200);
  expect(await nodeListed(node.user)).not.toHaveProperty("suspended");
  const events = await operator.awaitEvents(
    `peer_id=${node.identity.peerId}`,
    "node_reinstated",
    1,
  );
  expect(events[0]?.details).toMatchObject({ reason: "Fine" });
});

it("takes nothing from a suspended node whose heartbeats race with the suspension", async () => {
  const model = "admin/racing";
  const node = await newNode(model);
  await Promise.all([
    ...Array.from({ length: 10 }, () => node.beat()),
    suspend(node.identity.peerId),
    ...Array.from({ length: 10 }, () => node.beat()),
  ]);
  const client = await join();
  expect((await client.call("/authorize", { body: { model } })).status).toBe(404);
});

it("lists who is suspended, and knows no node that never enrolled", async () => {
  const node = await newNode("admin/listed");
  await suspend(node.identity.peerId);
  const suspended = await operator.call("/admin/nodes?suspended=true&limit=200");
  const ids = AdminNodePage.parse(await suspended.json()).nodes.map((one) => one.node_id);
  expect(ids).toContain(node.identity.peerId);
  const rest = await operator.call("/admin/nodes?suspended=false&limit=200");
  expect(AdminNodePage.parse(await rest.json()).nodes.every((one) => !one.suspended)).toBe(true);
  const stranger = (await newPeer(coordinator().url)).identity.peerId;
  expect((await suspend(stranger)).status).toBe(404);
  expect((await reinstate(stranger)).status).toBe(404);
  expect((await suspend(node.identity.peerId, "")).status).toBe(400);
});

it("pages through all users, each once", async () => {
  const users = await Promise.all(Array.from({ length: 4 }, async () => (await join()).user));
  const seen: string[] = [];
  for (let cursor = ""; ;) {
    const answer = await operator.call(`/admin/users?limit=3${cursor}`);
    const page = AdminUserPage.parse(await answer.json());
    seen.push(...page.users.map((user) => user.user_id));
    if (page.next_cursor === undefined) break;
    cursor = `&cursor=${page.next_cursor}`;
  }
  expect(new Set(seen).size).toBe(seen.length);
  for (const user of users) expect(seen).toContain(user);
});

it("grants credits once for a key, and lists what was granted", async () => {
  const member = await join();
  const key = crypto.randomUUID();
  const grant = { key, user_id: member.user, microcredits: 2_500_000, reason: "Sorry for that." };
  const answers = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const answer = await operator.call("/admin/grants", grant);
      return GrantAnswer.parse(await answer.json()).status;
    }),
  );
  expect(answers.filter((status) => status === "granted")).toHaveLength(1);
  expect((await balance(member)).available).toBe("12.5");
  const listed = GrantPage.parse(await (await operator.call("/admin/grants")).json()).grants;
  expect(listed).toContainEqual(
    expect.objectContaining({ key, user_id: member.user, credits: "2.5" }),
  );
  expect(await operator.awaitEvents(`user_id=${member.user}`, "credits_granted", 1)).toHaveLength(
    1,
  );
  const statement = await member.call(`/users/${member.user}/transactions`);
  expect(JSON.stringify(await statement.json())).toContain("operator_grant");
});

it.each([
  ["nobody", { user_id: `usr_${"0".repeat(26)}` }, 404],
  ["less than nothing", { microcredits: -1 }, 400],
  ["nothing", { microcredits: 0 }, 400],
  ["more than there can be", { microcredits: 2 ** 53 }, 400],
  ["without a reason", { reason: undefined }, 400],
])("grants nothing to %s", async (_what, wrong, status) => {
  const { user } = await join();
  const grant = { key: crypto.randomUUID(), user_id: user, microcredits: 1, reason: "x", ...wrong };
  expect((await operator.call("/admin/grants", grant)).status).toBe(status);
});
