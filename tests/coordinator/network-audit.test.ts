import { expect, it } from "vitest";
import { AuditType } from "#protocol/audit";
import { DeviceCode } from "#protocol/device";
import { useCoordinator } from "#support/coordinator";
import { operatorOf } from "./operators";
import { PASSWORD, peopleOf } from "./people";
import { newModel, privateNetworksOf } from "./private-networks";

const coordinator = useCoordinator();
const operator = operatorOf(coordinator);
const { person } = peopleOf(coordinator);
const { accept, create, friend, invite, join, lend } = privateNetworksOf(coordinator);

it("notes each change of who may do what in a network: whose right it is, who did it, and no code", async () => {
  const owner = await friend();
  const network = await create(owner);
  const path = `/networks/${network.id}`;
  const [used, revoked] = [await invite(owner, network), await invite(owner, network)];
  await owner.call(`${path}/invites/${revoked.id}`, { method: "DELETE" });
  const [member, leaver] = [await friend(), await join(owner, network, "use-only")];
  for (const _ of [1, 2]) await accept(member, used);
  const ofMember = `${path}/members/${member.user}`;
  await owner.call(ofMember, { method: "PATCH", body: { role: "owner" } });
  await owner.call(path, { method: "PATCH", body: { credits: false, allowed_models: ["a"] } });
  await leaver.call(`${path}/members/${leaver.user}`, { method: "DELETE" });
  for (const _ of [1, 2]) await owner.call(ofMember, { method: "DELETE" });
  // What is refused changes nothing, so it is not noted.
  await leaver.call(path, { method: "PATCH", body: { credits: true } });

  const by = (type: string, user: { user: string; node: string }, doer = user) => [
    type,
    user.user,
    doer.node,
  ];
  const expected = [
    by("network_created", owner),
    by("network_invited", owner),
    by("network_invited", owner),
    by("network_invite_revoked", owner),
    by("network_invited", owner),
    by("network_joined", leaver),
    by("network_joined", member),
    by("member_role_changed", member, owner),
    by("network_policy_changed", owner),
    by("network_left", leaver),
    by("member_removed", member, owner),
  ];
  for (const [type] of expected) {
    const count = expected.filter(([other]) => other === type).length;
    await operator.awaitEvents("", AuditType.parse(type), count);
  }
  const events = (await operator.events("limit=1000"))
    .filter(({ details }) => details["network"] === network.id)
    .toSorted((a, b) => a.at.localeCompare(b.at));
  const noted = events.map(({ type, user_id, peer_id }) => [type, user_id, peer_id]);
  expect(noted).toEqual(expected);
  const text = JSON.stringify(events);
  for (const { invite: code } of [used, revoked]) expect(text).not.toContain(code.split("@")[0]);
  expect(text).not.toContain(network.name);
});

it("who inherits a network may serve in it, where only owners may, and who left it may not", async () => {
  const [owner, somebody, model] = [await friend(), await person(), newModel()];
  const network = await create(owner, { serve: "owners" });
  const heir = await join(owner, network, "member");
  expect(heir.enrolled.networks).toEqual(["public"]);
  const begun = DeviceCode.parse(await (await owner.call("/auth/device", { body: {} })).json());
  const body = { user_code: begun.user_code, approve: true };
  await somebody.ask("/auth/device/decide", { body });
  const { device_code } = begun;
  await owner.call("/auth/device/token", { body: { device_code } });
  // Taken from members at once, with a ban.
  await owner.call(`/networks/${network.id}`, { method: "PATCH", body: { serve: "members" } });
  heir.enrolled = await heir.register();
  owner.enrolled = await owner.register();
  expect(await lend(owner, network.id, model)).toEqual([]);
  await owner.call(`/networks/${network.id}`, { method: "PATCH", body: { serve: "owners" } });
  expect(await lend(heir, network.id, model)).toEqual([network.id]);

  expect((await somebody.ask("/auth/delete", { body: { password: PASSWORD } })).status).toBe(204);
  expect(await lend(heir, network.id, model)).toEqual([]);
  const asked = { body: { model, network: network.id } };
  const granted = (await (await heir.call("/authorize", asked)).json()) as {
    candidates: { node_id: string }[];
  };
  expect(granted.candidates.map(({ node_id }) => node_id)).toEqual([heir.node]);
});
