import { expect, it } from "vitest";
import { Extension } from "#protocol/authorize";
import { ModelList } from "#protocol/directory";
import { InviteList, MemberList, Network, NetworkList } from "#protocol/network";
import { Balance } from "#protocol/statement";
import { useCoordinator } from "#support/coordinator";
import { codeOf, newModel, privateNetworksOf } from "./private-networks";

const coordinator = useCoordinator();
const { accept, authorize, create, friend, invite, join, lend, modelsIn, nodesIn } =
  privateNetworksOf(coordinator);

it("lets who shows an invite lend in the network, and its members ask there", async () => {
  const owner = await friend();
  const network = await create(owner);
  const made = await invite(owner, network);
  expect(made.invite.split("@")[1]).toBe(coordinator().url);
  const other = await friend();
  const joined = await accept(other, made);
  expect(Network.parse(await joined.json())).toEqual({ ...network, role: "member", members: 2 });
  const { networks } = NetworkList.parse(await (await other.call("/networks")).json());
  expect(networks.map(({ id }) => id)).toEqual([network.id]);

  const model = newModel();
  expect(await lend(other, network.id, model)).toEqual([network.id]); // By its older enrolment.
  other.enrolled = await other.register();
  expect(other.enrolled.networks).toEqual(["public", network.id]);
  expect(await lend(other, network.id, model)).toEqual([]);
  expect(await modelsIn(owner, network.id)).toEqual([model]);
  expect(await nodesIn(owner, network.id)).toEqual([other.node]);
  const granted = await authorize(owner, network.id, model);
  expect(granted).toMatchObject({ network: network.id, candidates: [{ node_id: other.node }] });
  expect(await codeOf(owner.call("/authorize", { body: { model } }))).toBe("model_unavailable");
});

it("takes an invite as often as it is good for, not after it was revoked, and no other code", async () => {
  const owner = await friend();
  const network = await create(owner);
  const once = await invite(owner, network);
  expect((await accept(owner, once)).status).toBe(200); // Uses nothing up: it is in already.
  expect((await accept(await friend(), once)).status).toBe(200);
  expect(await codeOf(accept(await friend(), once))).toBe("invite_invalid");

  const revoked = await invite(owner, network);
  const path = `/networks/${network.id}/invites`;
  const listed = InviteList.parse(await (await owner.call(path)).json());
  expect(listed.invites.map(({ id }) => id)).toEqual([revoked.id]);
  expect(JSON.stringify(listed)).not.toContain(revoked.invite.split("@")[0]);
  expect((await owner.call(`${path}/${revoked.id}`, { method: "DELETE" })).status).toBe(200);
  const answers = await Promise.all(
    [once, revoked, { ...once, invite: `${"0".repeat(26)}@x` }].map(async (one) =>
      (await accept(await friend(), one)).text(),
    ),
  );
  // Used up, revoked and unknown look alike.
  const [first] = answers.map((text) => text.replace(/"requestId":"[^"]+"/, ""));
  for (const text of answers) expect(text.replace(/"requestId":"[^"]+"/, "")).toBe(first);
});

it("lets members do what their roles allow, and nothing else", async () => {
  const owner = await friend();
  const network = await create(owner);
  const server = await join(owner, network, "serve-only");
  const user = await join(owner, network, "use-only");
  const member = await join(owner, network, "member");
  const model = newModel();
  expect(await lend(server, network.id, model)).toEqual([]);
  expect(await lend(user, network.id, model)).toEqual([network.id]);
  expect(await nodesIn(member, network.id)).toEqual([server.node]);
  await authorize(user, network.id, model);
  const asked = { body: { model, network: network.id } };
  expect(await codeOf(server.call("/authorize", asked))).toBe("forbidden");

  const path = `/networks/${network.id}`;
  for (const one of [server, user, member]) {
    const invited = { body: { role: "member", uses: 1, expires_in_seconds: 60 } };
    expect(await codeOf(one.call(`${path}/invites`, invited))).toBe("forbidden");
    expect(await codeOf(one.call(`${path}/invites`))).toBe("forbidden");
    const own = `${path}/members/${one.user}`;
    const boss = { method: "PATCH", body: { role: "owner" } };
    expect(await codeOf(one.call(own, boss))).toBe("forbidden");
    const kick = { method: "DELETE" };
    expect(await codeOf(one.call(`${path}/members/${owner.user}`, kick))).toBe("forbidden");
    const change = { method: "PATCH", body: { credits: false } };
    expect(await codeOf(one.call(path, change))).toBe("forbidden");
  }
  const { members } = MemberList.parse(await (await user.call(`${path}/members`)).json());
  expect(members.map(({ user_id, role }) => [user_id, role])).toEqual([
    [owner.user, "owner"],
    [server.user, "serve-only"],
    [user.user, "use-only"],
    [member.user, "member"],
  ]);
  const gone = await member.call(`${path}/members/${member.user}`, { method: "DELETE" });
  expect(gone.status).toBe(200);
  expect(await codeOf(member.call(`${path}/members`))).toBe("not_found");
  const last = owner.call(`${path}/members/${owner.user}`, { method: "DELETE" });
  expect(await codeOf(last)).toBe("last_owner");
});

it("gives a removed member no new ticket, lists its node no more, and takes both back with the next invite", async () => {
  const owner = await friend();
  const network = await create(owner);
  const other = await join(owner, network, "member");
  const model = newModel();
  expect(await lend(owner, network.id, newModel())).toEqual([network.id]);
  owner.enrolled = await owner.register();
  expect(await lend(owner, network.id, model)).toEqual([]);
  expect(await lend(other, network.id, model)).toEqual([]);
  const { ticket, lease_id: lease } = await authorize(other, network.id, model);
  const extend = () => other.call("/authorize/extend", { body: { ticket, add: 1 } });
  expect(Extension.parse(await (await extend()).json()).lease_id).toBe(lease);

  const path = `/networks/${network.id}/members/${other.user}`;
  expect((await owner.call(path, { method: "DELETE" })).status).toBe(200);
  expect(await codeOf(extend())).toBe("lease_not_found");
  const asked = { body: { model, network: network.id } };
  expect(await codeOf(other.call("/authorize", asked))).toBe("not_found");
  // At once, and its enrolment that still names the network changes nothing.
  expect(await nodesIn(owner, network.id)).toEqual([owner.node]);
  expect(await lend(other, network.id, model)).toEqual([network.id]);
  expect(await nodesIn(owner, network.id)).toEqual([owner.node]);
  const { candidates } = await authorize(owner, network.id, model);
  expect(candidates.map(({ node_id }) => node_id)).toEqual([owner.node]);
  expect((await other.register()).networks).toEqual(["public"]);

  // As one who may not lend it does not get its node back by the older enrolment.
  await accept(other, await invite(owner, network, { role: "use-only" }));
  expect(await lend(other, network.id, model)).toEqual([network.id]);
  await owner.call(path, { method: "PATCH", body: { role: "member" } });
  expect(await lend(other, network.id, model)).toEqual([]);
  await owner.call(path, { method: "PATCH", body: { role: "use-only" } });
  expect(await nodesIn(owner, network.id)).toEqual([owner.node]);
  expect(await lend(other, network.id, model)).toEqual([network.id]);
});

it("moves no credits in a network that takes none, even from a user who has none left", async () => {
  const owner = await friend();
  const network = await create(owner, { credits: false });
  const poor = await join(owner, network, "member");
  owner.enrolled = await owner.register();
  const model = newModel();
  await lend(owner, network.id, model);
  const balance = async () =>
    Balance.parse(await (await poor.call(`/users/${poor.user}/balance`)).json());
  const before = await balance();
  const budget = before.available_microcredits + 1_000_000;
  const body = { model, network: network.id, budget };
  const answer = await (await poor.call("/authorize", { body })).json();
  expect(answer).toMatchObject({ budget, candidates: [{ node_id: owner.node, rate: 0 }] });
  const { ticket } = answer as { ticket: string };
  const extended = await poor.call("/authorize/extend", { body: { ticket, add: 1 } });
  expect(Extension.parse(await extended.json()).budget).toBe(budget);
  expect(await balance()).toEqual(before);

  // Turned on, the free lease goes no further.
  const path = `/networks/${network.id}`;
  await owner.call(path, { method: "PATCH", body: { credits: true } });
  const again = poor.call("/authorize/extend", { body: { ticket, add: 1 } });
  expect(await codeOf(again)).toBe("lease_not_found");
});

it("shows and allows the models of the policy, and no others", async () => {
  const owner = await friend();
  const [allowed, other] = [newModel(), newModel()];
  const network = await create(owner, { allowed_models: [allowed] });
  owner.enrolled = await owner.register();
  const models = [allowed, other].map((id) => ({ id, engine: "ollama", state: "loaded" }) as const);
  await owner.beat(owner.enrolled, { networks: [network.id], models });
  expect(await modelsIn(owner, network.id)).toEqual([allowed]);
  const page = await owner.call(`/nodes?network=${network.id}`);
  expect(await page.text()).not.toContain(other);
  await authorize(owner, network.id, allowed);
  const asked = { body: { model: other, network: network.id } };
  expect(await codeOf(owner.call("/authorize", asked))).toBe("model_unavailable");
  await owner.call(`/networks/${network.id}`, { method: "PATCH", body: { allowed_models: [] } });
  await authorize(owner, network.id, other);
});

it("shows the other names of the policy for models that are there, and changes nothing else with them", async () => {
  const owner = await friend();
  const [model, taken] = [newModel(), newModel()];
  const aliases = { "gpt-4o-mini": model, [taken]: model, "of nothing": "no/such:model" };
  const network = await create(owner, { aliases, credits: false });
  owner.enrolled = await owner.register();
  const models = [model, taken].map((id) => ({ id, engine: "ollama", state: "loaded" }) as const);
  await owner.beat(owner.enrolled, { networks: [network.id], models });
  const listed = async () => {
    const answer = await owner.call(`/v1/models?network=${network.id}`);
    return ModelList.parse(await answer.json()).data.map(({ id, alias_of }) => [id, alias_of]);
  };
  const shown = await listed();
  expect(shown).toHaveLength(3);
  for (const one of [[model], [taken], ["gpt-4o-mini", model]]) {
    expect(shown).toContainEqual([one[0], one[1]]);
  }
  const path = `/networks/${network.id}`;
  const changed = await owner.call(path, { method: "PATCH", body: { aliases: {} } });
  expect(await changed.json()).toMatchObject({ policy: { aliases: {}, credits: false } });
  expect(await listed()).toHaveLength(2);
});

it("takes members' nodes off the lists when owners alone may serve", async () => {
  const owner = await friend();
  const network = await create(owner);
  const other = await join(owner, network, "member");
  owner.enrolled = await owner.register();
  const model = newModel();
  await lend(owner, network.id, model);
  await lend(other, network.id, model);
  const path = `/networks/${network.id}`;
  await owner.call(path, { method: "PATCH", body: { serve: "owners" } });
  expect(await nodesIn(other, network.id)).toEqual([owner.node]);
  expect(await lend(other, network.id, model)).toEqual([network.id]);
  await owner.call(path, { method: "PATCH", body: { serve: "members" } });
  expect(await lend(other, network.id, model)).toEqual([]);
});

it("puts a user's own nodes first where the policy says so, however many others there are", async () => {
  const owner = await friend();
  const network = await create(owner, { own_nodes_first: true });
  const model = newModel();
  const others = await Promise.all([1, 2, 3, 4].map(() => join(owner, network, "serve-only")));
  owner.enrolled = await owner.register();
  // Its own is the slowest of all.
  const models = [{ id: model, engine: "ollama", state: "cold" } as const];
  await owner.beat(owner.enrolled, { networks: [network.id], models, running: 9 });
  for (const other of others) await lend(other, network.id, model);
  const { candidates } = await authorize(owner, network.id, model);
  expect(candidates[0]).toMatchObject({ node_id: owner.node, own: true });
});
