import { beforeEach, describe, expect, it } from "vitest";
import { holding, untilWaiting } from "./held-locks";
import { expectLaws } from "./ledger-laws";
import {
  balances,
  extend,
  hold,
  link,
  newWorld,
  revoke,
  useLedger,
  type World,
} from "./ledger-world";

const ask = useLedger();
const [PEER, MEMBER, PERSON, OTHER] = [0, 1, 3, 4];
const WORTH = 1_000_000;
const POLICY = { credits: true, own_nodes_first: false, serve: "members", allowed_models: [] };

let world: World;
let network: string;
let code: string;

beforeEach(async () => {
  world = await newWorld(ask);
  network = `net-${crypto.randomUUID()}`;
  code = crypto.randomUUID();
});

async function first(text: string, params: readonly (string | null)[]): Promise<string | null> {
  return (await ask(text, params))[0]?.[0] ?? null;
}

/** A network of these users, by their roles. */
async function networkOf(roles: Readonly<Record<number, string>>): Promise<void> {
  await ask("insert into networks (id, slug, policy, created_by) values ($1, $1, $2, $3)", [
    network,
    JSON.stringify(POLICY),
    world.user(MEMBER),
  ]);
  for (const [index, role] of Object.entries(roles)) {
    await ask("insert into memberships (network_id, user_id, role) values ($1, $2, $3)", [
      network,
      world.user(Number(index)),
      role,
    ]);
  }
}

async function roles(): Promise<Record<string, string>> {
  const rows = await ask("select user_id, role from memberships where network_id = $1", [network]);
  return Object.fromEntries(rows) as Record<string, string>;
}

const invite = () =>
  ask(
    `insert into invites (id, network_id, code_hash, role, uses_left, expires_at)
      values ($1, $2, $3, 'member', 1, '2030-01-02')`,
    [crypto.randomUUID(), network, code],
  );

const accept = (index: number) =>
  first("select outcome from accept_invite($1, $2, '2030-01-01', 3, 9)", [code, world.peer(index)]);

const create = (index: number) =>
  first("select create_network($1, 'team', $2, $3, 3)", [
    network,
    JSON.stringify(POLICY),
    world.peer(index),
  ]);

const change = (caller: number, target: number, role: string) =>
  first("select change_role($1, $2, $3, $4)", [
    network,
    world.peer(caller),
    world.user(target),
    role,
  ]);

const linking = (person: number) =>
  holding("select link_peer($1, 'x', null, $2, 0)", [world.peer(PEER), world.user(person)]);

const closing = (person: number) =>
  holding("select close_person($1, $2)", [world.user(person), `ghost-${crypto.randomUUID()}`]);

const busyAccounts = (index: number) =>
  holding("select lock_accounts(array[$1])", [world.user(index)]);

const holdInNetwork = (index: number) =>
  first(
    `select outcome from hold_in_network($1, $2, $3, $4, 7, now() + interval '5 min', now(), now())`,
    [world.lease(0), world.peer(index), network, world.model],
  );

describe("while a peer is linked to a person", () => {
  it("an invite that it takes makes the person a member", async () => {
    await networkOf({ [MEMBER]: "owner" });
    await invite();
    const letGo = await linking(PERSON);
    const accepted = accept(PEER);
    await untilWaiting(ask, 1);
    await letGo();
    expect(await accepted).toBe("joined");
    expect(await roles()).toEqual({
      [world.user(MEMBER)]: "owner",
      [world.user(PERSON)]: "member",
    });
  });

  it("a network that it makes is the person's", async () => {
    const letGo = await linking(PERSON);
    const created = create(PEER);
    await untilWaiting(ask, 1);
    await letGo();
    expect(await created).toBe("created");
    expect(await roles()).toEqual({ [world.user(PERSON)]: "owner" });
  });

  it("its network keeps an owner, whoever gives the role up then", async () => {
    await networkOf({ [PEER]: "owner", [PERSON]: "owner", [MEMBER]: "member" });
    const letGo = await linking(PERSON);
    const changed = change(PEER, PERSON, "member");
    await untilWaiting(ask, 1);
    await letGo();
    expect(await changed).toBe("last_owner");
    expect(await roles()).toEqual({
      [world.user(PERSON)]: "owner",
      [world.user(MEMBER)]: "member",
    });
  });
});

describe("a peer is linked", () => {
  it("as the owner that it has just become, where the one before deletes the account", async () => {
    await networkOf({ [OTHER]: "owner", [PEER]: "member" });
    const letGo = await closing(OTHER);
    const linked = link(world, { peer: PEER, person: PERSON });
    await untilWaiting(ask, 1);
    await letGo();
    expect(await linked).toBe("linked");
    expect(await roles()).toEqual({ [world.user(PERSON)]: "owner" });
  });

  it("without the network that it leaves at that moment, and that ends with it", async () => {
    await networkOf({ [PEER]: "owner" });
    const letGo = await holding("select remove_member($1, $2, $3)", [
      network,
      world.peer(PEER),
      world.user(PEER),
    ]);
    const linked = link(world, { peer: PEER, person: PERSON });
    await untilWaiting(ask, 1);
    await letGo();
    expect(await linked).toBe("linked");
    expect(await roles()).toEqual({});
  });
});

it("nothing is left of a network that a deleted account had just been brought, whose last member leaves", async () => {
  await networkOf({ [PEER]: "owner", [MEMBER]: "member" });
  const linked = await linking(PERSON);
  const closed = ask("select close_person($1, $2)", [
    world.user(PERSON),
    `ghost-${crypto.randomUUID()}`,
  ]);
  await untilWaiting(ask, 1);
  // Where it goes on from there, behind its first look at the networks.
  const login = await holding("select from logins where user_id = $1 for key share", [
    world.user(PERSON),
  ]);
  await linked();
  await untilWaiting(ask, 1);
  const left = holding("select remove_member($1, $2, $3)", [
    network,
    world.peer(MEMBER),
    world.user(MEMBER),
  ]);
  await Promise.race([left, untilWaiting(ask, 2)]);
  await login();
  await Promise.race([closed, untilWaiting(ask, 1)]);
  await (
    await left
  )();
  await closed;
  expect(await ask("select id from networks where id = $1", [network])).toEqual([]);
});

describe("while a payer's accounts are busy", () => {
  it("who is signed out gets no lease that it asked for before", async () => {
    await link(world, { peer: PEER, person: PERSON });
    const letGo = await busyAccounts(PERSON);
    const held = hold(world, { peer: PEER, lease: 0, budget: WORTH });
    await untilWaiting(ask, 1);
    expect(await revoke(world, { peer: PEER, person: PERSON })).toBe(true);
    await letGo();
    expect(await held).toEqual({ outcome: "peer_revoked", budget: 0 });
    await expectLaws(world);
  });

  it("who is given to another person spends nothing of the one before", async () => {
    await link(world, { peer: PEER, person: PERSON });
    const before = await balances(world, PERSON);
    const letGo = await busyAccounts(PERSON);
    const held = hold(world, { peer: PEER, lease: 0, budget: WORTH });
    await untilWaiting(ask, 1);
    expect(await link(world, { peer: PEER, person: OTHER })).toBe("linked");
    await letGo();
    expect(await held).toEqual({ outcome: "not_registered", budget: 0 });
    expect(await balances(world, PERSON)).toEqual(before);
    await expectLaws(world);
  });

  it("who is signed out gets no larger lease", async () => {
    await link(world, { peer: PEER, person: PERSON });
    await hold(world, { peer: PEER, lease: 0, budget: WORTH });
    const letGo = await busyAccounts(PERSON);
    const extended = extend(world, { peer: PEER, lease: 0, add: WORTH, key: 0 });
    await untilWaiting(ask, 1);
    expect(await revoke(world, { peer: PEER, person: PERSON })).toBe(true);
    await letGo();
    expect((await extended).outcome).toBe("lease_not_found");
    expect(await balances(world, PERSON)).toMatchObject({ held: WORTH });
    await expectLaws(world);
  });

  it("who is taken out of a network gets no lease in it", async () => {
    await networkOf({ [MEMBER]: "owner", [PEER]: "member" });
    const letGo = await busyAccounts(PEER);
    const held = holdInNetwork(PEER);
    await untilWaiting(ask, 1);
    const removed = await first("select remove_member($1, $2, $3)", [
      network,
      world.peer(MEMBER),
      world.user(PEER),
    ]);
    expect(removed).toBe("removed");
    await letGo();
    expect(await held).toBe("network_unknown");
    expect(await balances(world, PEER)).toMatchObject({ held: 0 });
    await expectLaws(world);
  });

  it("who is taken out of a network gets no larger lease in it", async () => {
    await networkOf({ [MEMBER]: "owner", [PEER]: "member" });
    expect(await holdInNetwork(PEER)).toBe("held");
    const letGo = await busyAccounts(PEER);
    const extended = first(
      "select outcome from extend_in_network($1, $2, 5, now() + interval '6 min', 'k')",
      [world.lease(0), world.peer(PEER)],
    );
    await untilWaiting(ask, 1);
    await ask("select remove_member($1, $2, $3)", [network, world.peer(MEMBER), world.user(PEER)]);
    await letGo();
    expect(await extended).toBe("lease_not_found");
    expect(await balances(world, PEER)).toMatchObject({ held: 7 });
    await expectLaws(world);
  });
});
