import { expect, it } from "vitest";
import { link, newWorld, PEERS, useLedger, type World } from "./ledger-world";

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
