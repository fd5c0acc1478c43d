import { describe, expect, it } from "vitest";
import {
  balances,
  extend,
  hold,
  link,
  newWorld,
  PEERS,
  revoke,
  useLedger,
  type World,
} from "./ledger-world";

const ask = useLedger();
const [PERSON, OTHER] = [3, 4];

/** A network of these users, by their roles; its id. */
async function network({ user }: World, roles: Readonly<Record<number, string>>): Promise<string> {
  const id = `net-${crypto.randomUUID()}`;
  const [first = "0"] = Object.keys(roles);
  await ask("insert into networks (id, slug, policy, created_by) values ($1, $1, $2, $3)", [
    id,
    "{}",
    user(Number(first)),
  ]);
  for (const [index, role] of Object.entries(roles)) {
    await ask("insert into memberships (network_id, user_id, role) values ($1, $2, $3)", [
      id,
      user(Number(index)),
      role,
    ]);
  }
  return id;
}

async function rolesIn({ user }: World, id: string): Promise<Record<number, string>> {
  const rows = await ask("select user_id, role from memberships where network_id = $1", [id]);
  const everybody = [...PEERS, PERSON, OTHER];
  return Object.fromEntries(
    rows.map(([member, role]) => [everybody.find((index) => user(index) === member), role]),
  ) as Record<number, string>;
}

const leave = ({ user, peer }: World, person: number) =>
  ask("select close_person($1, $2)", [user(person), `ghost-${peer(0)}`]);

it("brings a peer's networks along, and leaves an owner the owner", async () => {
  const world = await newWorld(ask);
  const own = await network(world, { 0: "owner", 1: "member" });
  const both = await network(world, { [PERSON]: "member", 0: "owner" });
  const lesser = await network(world, { [PERSON]: "owner", 0: "use-only" });
  await link(world, { peer: 0, person: PERSON });
  expect(await rolesIn(world, own)).toEqual({ [PERSON]: "owner", 1: "member" });
  expect(await rolesIn(world, both)).toEqual({ [PERSON]: "owner" });
  expect(await rolesIn(world, lesser)).toEqual({ [PERSON]: "owner" });
});

it("leaves a network to its next member when its only owner's account is deleted, and none empty", async () => {
  const world = await newWorld(ask);
  const left = await network(world, { [PERSON]: "owner", 1: "use-only" });
  const owned = await network(world, { [PERSON]: "owner", [OTHER]: "owner", 1: "member" });
  const alone = await network(world, { [PERSON]: "owner" });
  await leave(world, PERSON);
  expect(await rolesIn(world, left)).toEqual({ 1: "owner" });
  expect(await rolesIn(world, owned)).toEqual({ [OTHER]: "owner", 1: "member" });
  expect(await ask("select id from networks where id = $1", [alone])).toEqual([]);
});

it("does not bring what a deleted account had to the next one that takes its machine", async () => {
  const world = await newWorld(ask);
  await link(world, { peer: 0, person: PERSON });
  await leave(world, PERSON);
  expect(await link(world, { peer: 0, person: PERSON })).toBe("user_unknown");
  expect(await link(world, { peer: 0, person: OTHER })).toBe("linked");
  const [row] = await ask("select count(*) from transfers where idempotency_key in ($1, $2)", [
    `merge:${world.user(PERSON)}`,
    `merge:ghost-${world.peer(0)}`,
  ]);
  expect(row).toEqual(["0"]);
});

describe("a peer that was given to another person", () => {
  it("gets nothing more under a lease of the one before", async () => {
    const world = await newWorld(ask);
    await link(world, { peer: 0, person: PERSON });
    await hold(world, { peer: 0, lease: 0, budget: 1_000 });
    expect((await extend(world, { peer: 0, lease: 0, add: 1_000, key: 0 })).outcome).toBe(
      "extended",
    );
    await link(world, { peer: 0, person: OTHER });
    expect((await extend(world, { peer: 0, lease: 0, add: 1_000, key: 1 })).outcome).toBe(
      "lease_not_found",
    );
    expect(await balances(world, PERSON)).toMatchObject({ held: 2_000 });
  });

  it("gets nothing more under it, either, where it was signed out in between", async () => {
    const world = await newWorld(ask);
    await link(world, { peer: 0, person: PERSON });
    await hold(world, { peer: 0, lease: 0, budget: 1_000 });
    await revoke(world, { peer: 0, person: PERSON });
    await link(world, { peer: 0, person: OTHER });
    expect((await extend(world, { peer: 0, lease: 0, add: 1_000, key: 1 })).outcome).toBe(
      "lease_not_found",
    );
    expect(await balances(world, PERSON)).toMatchObject({ held: 1_000 });
  });

  it("keeps the lease that it had before it belonged to a person", async () => {
    const world = await newWorld(ask);
    await hold(world, { peer: 0, lease: 0, budget: 1_000 });
    await link(world, { peer: 0, person: PERSON });
    expect((await extend(world, { peer: 0, lease: 0, add: 1_000, key: 0 })).outcome).toBe(
      "extended",
    );
    await link(world, { peer: 0, person: OTHER });
    expect((await extend(world, { peer: 0, lease: 0, add: 1_000, key: 1 })).outcome).toBe(
      "lease_not_found",
    );
  });
});

describe("a code that a peer asked for before it was signed out", () => {
  const linkBy = async ({ peer, user }: World, person: number, requested: string) =>
    (
      await ask("select link_peer($1, 'x', null, $2, 0, $3)", [peer(0), user(person), requested])
    )[0]?.[0];
  const now = async () => (await ask("select clock_timestamp()"))[0]?.[0] ?? "";

  it("is over, also where it was linked again since by another one", async () => {
    const world = await newWorld(ask);
    const before = await now();
    expect(await linkBy(world, PERSON, before)).toBe("linked");
    expect(await revoke(world, { peer: 0, person: PERSON })).toBe(true);
    expect(await linkBy(world, PERSON, before)).toBe("code_over");
    expect(await linkBy(world, OTHER, await now())).toBe("linked");
    expect(await linkBy(world, PERSON, before)).toBe("code_over");
    expect(await linkBy(world, PERSON, await now())).toBe("linked");
  });

  it("is over, too, where its person left", async () => {
    const world = await newWorld(ask);
    const before = await now();
    expect(await linkBy(world, PERSON, before)).toBe("linked");
    await leave(world, PERSON);
    expect(await linkBy(world, OTHER, before)).toBe("code_over");
    expect(await linkBy(world, OTHER, await now())).toBe("linked");
    expect(await linkBy(world, OTHER, before)).toBe("already_linked");
  });
});

it("says of a peer that is signed out already that it is, to its person alone", async () => {
  const world = await newWorld(ask);
  await link(world, { peer: 0, person: PERSON });
  expect(await revoke(world, { peer: 0, person: OTHER })).toBe(false);
  expect(await revoke(world, { peer: 0, person: PERSON })).toBe(true);
  expect(await revoke(world, { peer: 0, person: PERSON })).toBe(true);
  expect(await revoke(world, { peer: 0, person: OTHER })).toBe(false);
  const ghosts = await ask("select count(*) from users where merged_into = $1 and has_starter", [
    world.user(PERSON),
  ]);
  // The peer's own user, and the one that it was signed out to.
  expect(ghosts).toEqual([["2"]]);
});
