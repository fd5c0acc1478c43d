import fc from "fast-check";
import { expect, it } from "vitest";
import { PostgresError } from "#self-host/sql-backend";
import { expectLaws } from "./ledger-laws";
import { link, newWorld, PEERS, PEOPLE, revoke, useLedger, type World } from "./ledger-world";

const ask = useLedger();

/** One thing that peers, people and owners do. */
type Deed =
  | { kind: "link" | "revoke"; peer: number; person: number }
  | { kind: "leave"; person: number }
  | { kind: "create" | "policy"; peer: number; network: number }
  | { kind: "invite"; peer: number; network: number; role: string }
  | { kind: "accept"; peer: number; code: number }
  | { kind: "role"; peer: number; network: number; user: number; role: string }
  | { kind: "remove"; peer: number; network: number; user: number }
  | { kind: "hold"; peer: number; network: number; lease: number }
  | { kind: "extend"; peer: number; lease: number };

const peer = fc.constantFrom(...PEERS);
const person = fc.constantFrom(...PEOPLE);
const user = fc.constantFrom(...PEERS, ...PEOPLE);
const network = fc.nat({ max: 1 });
const lease = fc.nat({ max: 4 });
const role = fc.constantFrom("owner", "member", "use-only", "serve-only");
const kind = <Name extends Deed["kind"]>(name: Name) => fc.constant(name);

const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: kind("link"), peer, person }) },
  fc.record({ kind: kind("revoke"), peer, person }),
  fc.record({ kind: kind("leave"), person }),
  fc.record({ kind: kind("create"), peer, network }),
  fc.record({ kind: kind("policy"), peer, network }),
  {
    weight: 2,
    arbitrary: fc.record({
      kind: kind("invite"),
      peer,
      network,
      role: fc.constantFrom("member", "use-only", "serve-only"),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: kind("accept"), peer, code: fc.nat({ max: 9 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: kind("role"), peer, network, user, role }) },
  { weight: 2, arbitrary: fc.record({ kind: kind("remove"), peer, network, user }) },
  fc.record({ kind: kind("hold"), peer, network, lease }),
  fc.record({ kind: kind("extend"), peer, lease }),
);

/** Codes of invites that were made, each for two, and how many joined by them. */
type Codes = Map<string, number>;

const USES = 2;
const POLICY = { credits: true, own_nodes_first: false, serve: "members", allowed_models: [] };

async function apply(world: World, codes: Codes, done: Deed): Promise<void> {
  const by = "peer" in done ? world.peer(done.peer) : "";
  const net = "network" in done ? `net-${done.network}-${world.model}` : "";
  switch (done.kind) {
    case "link":
      await link(world, done);
      return;
    case "revoke":
      await revoke(world, done);
      return;
    case "leave":
      await ask("select close_person($1, $2)", [
        world.user(done.person),
        `u-${crypto.randomUUID()}${world.user(0).slice("u0".length)}`,
      ]);
      return;
    case "create": {
      const there = await ask("select from networks where id = $1", [net]);
      if (there.length > 0) return;
      const id = await ask("select create_network($1, 'team', $2, $3, 9)", [
        `${net}-${crypto.randomUUID()}`,
        JSON.stringify(POLICY),
        by,
      ]);
      expect(id).toHaveLength(1);
      return;
    }
    case "policy":
      await ask('select * from change_policy($1, $2, \'{"serve": "owners"}\')', [net, by]);
      return;
    case "invite": {
      const code = crypto.randomUUID();
      const [made] = await ask(
        `select outcome from create_invite($1, $2, $3, $4, $5, ${USES}, now() + interval '1 day', now(), 100)`,
        [crypto.randomUUID(), net, by, code, done.role],
      );
      if (made?.[0] === "created") codes.set(code, 0);
      return;
    }
    case "accept": {
      const code = [...codes.keys()][done.code] ?? "";
      const [taken] = await ask("select outcome from accept_invite($1, $2, now(), 9, 9)", [
        code,
        by,
      ]);
      if (taken?.[0] === "joined") codes.set(code, (codes.get(code) ?? 0) + 1);
      return;
    }
    case "role":
      await ask("select change_role($1, $2, $3, $4)", [net, by, world.user(done.user), done.role]);
      return;
    case "remove":
      await ask("select remove_member($1, $2, $3)", [net, by, world.user(done.user)]);
      return;
    case "hold":
      await ask(
        `select * from hold_in_network($1, $2, $3, $4, 1000, now() + interval '5 min', now(), now())`,
        [world.lease(done.lease), by, net, world.model],
      );
      return;
    case "extend":
      await ask("select * from extend_in_network($1, $2, 1000, now() + interval '6 min', $3)", [
        world.lease(done.lease),
        by,
        crypto.randomUUID(),
      ]);
  }
}

/** As a coordinator does with a transaction that Postgres undid because two waited for each other. */
async function again(call: () => Promise<void>, attempts = 3): Promise<void> {
  try {
    await call();
  } catch (error) {
    const isUndone = error instanceof PostgresError && error.fields.code === "40P01";
    if (!isUndone || attempts === 1) throw error;
    await again(call, attempts - 1);
  }
}

/** Each is a query that answers nothing while the law holds. */
const LAWS = {
  "a network has an owner": `select id from networks n where not exists (
    select from memberships m where m.network_id = n.id and m.role = 'owner')`,
  "no member is part of another user, or gone": `select m.user_id from memberships m join users u on u.id = m.user_id
    where u.merged_into is not null or u.closed_at is not null`,
  "a peer belongs to a user who is there, unless it was signed out": `select p.id from peers p
    join users u on u.id = p.user_id
    where (p.revoked_at is null) <> (u.merged_into is null) or u.closed_at is not null`,
  "who was ever signed out has that noted": "select id from peers where revoked_at > signed_out_at",
  "a person is part of nobody": `select l.user_id from logins l join users u on u.id = l.user_id
    where u.merged_into is not null or u.closed_at is not null`,
};

async function expectTrust(codes: Codes): Promise<void> {
  for (const [law, query] of Object.entries(LAWS)) {
    expect([law, await ask(query)]).toEqual([law, []]);
  }
  for (const [code, joined] of codes) {
    const [left] = await ask("select uses_left from invites where code_hash = $1", [code]);
    // Gone with its network.
    if (left === undefined) continue;
    expect(["invites are used up by who joins", joined]).toEqual([
      "invites are used up by who joins",
      USES - Number(left[0]),
    ]);
  }
}

async function networksOf(world: World): Promise<void> {
  for (const index of [0, 1]) {
    await ask("select create_network($1, $1, $2, $3, 9)", [
      `net-${index}-${world.model}`,
      JSON.stringify(POLICY),
      world.peer(index),
    ]);
  }
}

it("keeps every law of who may do what, whatever is done at the same time", async () => {
  const batches = fc.array(fc.array(deed, { minLength: 2, maxLength: 8 }), {
    minLength: 1,
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(batches, async (all) => {
      const [world, codes] = [await newWorld(ask), new Map<string, number>()];
      await networksOf(world);
      for (const batch of all) {
        // Each comes twice: what is retried must do no harm.
        await Promise.all(
          [...batch, ...batch].map((done) => again(() => apply(world, codes, done))),
        );
        await expectTrust(codes);
      }
      await expectLaws(world);
    }),
    // What fails in a race may not fail again: the first failure is told as it is.
    { numRuns: 40, endOnFailure: true },
  );
});
