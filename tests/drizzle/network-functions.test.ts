import { beforeEach, expect, it } from "vitest";
import { newWorld, STARTER, useLedger, type World } from "./ledger-world";

const ask = useLedger();
const CREDITS = { credits: true, own_nodes_first: false, serve: "members", allowed_models: [] };

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

const create = (index: number, policy: object = CREDITS, id = network, slug = "team") =>
  first("select create_network($1, $2, $3, $4, 3)", [
    id,
    slug,
    JSON.stringify(policy),
    world.peer(index),
  ]);

const invite = (role: string, uses = 9) =>
  ask(
    `insert into invites (id, network_id, code_hash, role, uses_left, expires_at)
      values ($1, $2, $3, $4, $5, '2030-01-02')`,
    [crypto.randomUUID(), network, code, role, `${uses}`],
  );

const accept = (index: number, now = "2030-01-01") =>
  first("select outcome from accept_invite($1, $2, $3, 3, 2)", [code, world.peer(index), now]);

async function join(index: number, role: string): Promise<void> {
  await invite(role);
  expect(await accept(index)).toBe("joined");
}

async function hold(index: number, lease = world.lease(0)): Promise<(string | null)[]> {
  const rows = await ask(
    `select outcome, budget, credits, own_nodes_first
      from hold_in_network($1, $2, $3, $4, 7, now() + interval '1 hour', now(), now())`,
    [lease, world.peer(index), network, world.model],
  );
  return [...(rows[0] ?? [])];
}

const extend = (index: number) =>
  first("select outcome from extend_in_network($1, $2, 5, now() + interval '1 hour', 'k')", [
    world.lease(0),
    world.peer(index),
  ]);

const remove = (caller: number, target: number) =>
  first("select remove_member($1, $2, $3)", [network, world.peer(caller), world.user(target)]);

const change = (caller: number, target: number, role: string) =>
  first("select change_role($1, $2, $3, $4)", [
    network,
    world.peer(caller),
    world.user(target),
    role,
  ]);

const held = (index: number) =>
  first("select balance from accounts where user_id = $1 and kind = 'held'", [world.user(index)]);

it("makes a network once for its owner, up to the most that a user may have", async () => {
  expect(await create(0)).toBe("created");
  expect(await create(0, CREDITS, `${network}-2`)).toBe("name_taken");
  expect(await create(1, CREDITS, `${network}-3`)).toBe("created");
  expect(await create(0, CREDITS, `${network}-4`, "b")).toBe("created");
  expect(await create(0, CREDITS, `${network}-5`, "c")).toBe("created");
  expect(await create(0, CREDITS, `${network}-6`, "d")).toBe("too_many");
  expect(await first("select create_network('x', 'x', '{}', 'nobody', 3)", [])).toBe(
    "not_registered",
  );
});

it("lets as many in as an invite has uses, none after its end, and none twice", async () => {
  await create(0);
  await invite("member", 1);
  expect(await accept(0)).toBe("already_in");
  expect(await accept(1, "2030-01-02")).toBe("invite_invalid");
  expect(await accept(1)).toBe("joined");
  expect(await accept(1)).toBe("invite_invalid");
  expect(await accept(2)).toBe("invite_invalid");
});

it("uses up no invite for who does not join", async () => {
  await create(0);
  await invite("member", 2);
  expect(await accept(1)).toBe("joined");
  expect(await accept(2)).toBe("network_full");
  expect(await first("select uses_left from invites where code_hash = $1", [code])).toBe("1");
  expect(
    await first("select outcome from accept_invite($1, 'nobody', '2030-01-01', 3, 9)", [code]),
  ).toBe("not_registered");
});

it("gives a one-use invite to one of two who come at once", async () => {
  await create(0);
  await invite("member", 1);
  const outcomes = await Promise.all([accept(1), accept(2)]);
  expect(new Set(outcomes)).toEqual(new Set(["invite_invalid", "joined"]));
});

it("holds and extends for members who may use, and for nobody else", async () => {
  await create(0);
  expect(await hold(1)).toEqual(["network_unknown", "0", "t", "f"]);
  await join(1, "serve-only");
  expect((await hold(1))[0]).toBe("may_not_use");
  expect(await change(0, 1, "use-only")).toBe("changed");
  expect(await hold(1)).toEqual(["held", "7", "t", "f"]);
  expect((await hold(1))[0]).toBe("replayed");
  expect(await extend(1)).toBe("extended");
  expect(await held(1)).toBe("12");
  expect(await extend(0)).toBe("lease_not_found");
  expect(await remove(0, 1)).toBe("removed");
  expect(await extend(1)).toBe("lease_not_found");
  expect((await hold(1, world.lease(1)))[0]).toBe("network_unknown");
});

it("holds nothing where a network takes no credits, and pays nothing under such a lease", async () => {
  await create(0, { ...CREDITS, credits: false, own_nodes_first: true });
  expect(await hold(0)).toEqual(["held", "0", "f", "t"]);
  expect((await hold(0))[0]).toBe("replayed");
  expect(await extend(0)).toBe("extended");
  expect(await held(0)).toBe("0");
  const receipt = {
    item: 0,
    lease: world.lease(0),
    seq: 0,
    node: world.peer(1),
    claim: 1_000_000,
    rate: 1_000_000,
    engine: "ollama",
    started_at_ms: 0,
    queue_ms: 0,
    engine_ms: 1_000,
    outcome: "completed",
    request_hash: "h",
  };
  const settled = await ask("select status, amount from settle_batch($1, '[]', now())", [
    JSON.stringify([receipt]),
  ]);
  expect(settled).toEqual([["settled", "0"]]);
  await ask("update networks set policy = policy || '{\"credits\": true}' where id = $1", [
    network,
  ]);
  expect(await extend(0)).toBe("lease_not_found");
  expect(
    await first(
      "select sum(balance) from accounts where user_id = any (array[$1, $2]) and kind <> 'mint'",
      [world.user(0), world.user(1)],
    ),
  ).toBe(`${2 * STARTER}`);
  expect(await ask("select * from ledger_offenders() where id = $1", [world.lease(0)])).toEqual([]);
});

it("allows the models that the policy names, all where it names none", async () => {
  await create(0, { ...CREDITS, allowed_models: ["another"] });
  expect((await hold(0))[0]).toBe("model_not_allowed");
  await ask(
    "update networks set policy = jsonb_set(policy, '{allowed_models}', to_jsonb(array[$2])) where id = $1",
    [network, world.model],
  );
  expect((await hold(0))[0]).toBe("held");
});

it("keeps an owner in a network that has members, and ends it with its last member", async () => {
  await create(0);
  await join(1, "member");
  expect(await remove(2, 1)).toBe("network_unknown");
  expect(await remove(1, 0)).toBe("forbidden");
  expect(await remove(0, 2)).toBe("member_unknown");
  expect(await remove(0, 0)).toBe("last_owner");
  expect(await change(0, 0, "member")).toBe("last_owner");
  expect(await change(1, 1, "owner")).toBe("forbidden");
  expect(await change(2, 1, "owner")).toBe("network_unknown");
  expect(await change(0, 2, "member")).toBe("member_unknown");
  expect(await change(0, 1, "owner")).toBe("changed");
  expect(await remove(0, 0)).toBe("removed");
  expect(await remove(1, 1)).toBe("removed");
  expect(await ask("select from networks where id = $1", [network])).toEqual([]);
  expect(await ask("select from invites where network_id = $1", [network])).toEqual([]);
});

it("leaves an owner behind when two owners leave at once", async () => {
  await create(0);
  await join(1, "owner");
  await addThird();
  const outcomes = await Promise.all([remove(0, 0), remove(1, 1)]);
  expect(new Set(outcomes)).toEqual(new Set(["last_owner", "removed"]));
});

/** A third, so that the network does not end with the two. */
async function addThird(): Promise<void> {
  await ask("insert into memberships (network_id, user_id, role) values ($1, $2, 'member')", [
    network,
    world.user(2),
  ]);
}
