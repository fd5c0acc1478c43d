import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createInvite } from "#coordinator/store/invites";
import { changePolicy } from "#coordinator/store/members";
import { createSession } from "#coordinator/store/sessions";
import { openTestStores, type TestStores } from "#support/stores";
import { holding, untilWaiting } from "../../drizzle/held-locks";

let db: TestStores["db"];
let ask: TestStores["ask"];

beforeAll(async () => {
  const stores = await openTestStores();
  ({ db, ask } = stores);
  return stores.close;
});

const POLICY = { credits: true, own_nodes_first: false, serve: "members", allowed_models: [] };
const NOW = Date.UTC(2030, 0, 1);
const [owner, other, network] = ["owner", "other", "net-0"];

/** Two owners, each with a peer of the same name. */
beforeEach(async () => {
  await ask("delete from networks");
  for (const user of [owner, other]) {
    await ask("select register_peer($1, 'x', null, $1, 0)", [user]);
  }
  const policy = JSON.stringify(POLICY);
  await ask("insert into networks (id, slug, policy, created_by) values ($1, $1, $2, $3)", [
    network,
    policy,
    owner,
  ]);
  for (const user of [owner, other]) {
    await ask("insert into memberships (network_id, user_id, role) values ($1, $2, 'owner')", [
      network,
      user,
    ]);
  }
});

const invite = () => {
  const [id, codeHash] = [crypto.randomUUID(), crypto.randomUUID()];
  const made = { id, networkId: network, codeHash, role: "member", uses: 1 } as const;
  return createInvite(db, other, { ...made, expiresAtMs: NOW + 60_000 }, NOW);
};

const demoting = () => holding("select change_role($1, $2, $3, 'member')", [network, owner, other]);

describe("who is no owner any more when its turn comes", () => {
  it("makes no invite", async () => {
    const letGo = await demoting();
    const made = invite();
    await untilWaiting(ask, 1);
    await letGo();
    expect(await made).toEqual({ outcome: "forbidden", user_id: other });
    expect(await ask("select count(*) from invites")).toEqual([["0"]]);
  });

  it("changes no policy", async () => {
    const letGo = await demoting();
    const changed = changePolicy(db, other, network, { serve: "owners" });
    await untilWaiting(ask, 1);
    await letGo();
    expect(await changed).toEqual({ role: "member", user_id: other });
    expect(await ask("select policy->>'serve' from networks")).toEqual([["members"]]);
  });

  it("is told that there is no such network, where that ended", async () => {
    await ask("delete from memberships where user_id = $1", [owner]);
    const letGo = await holding("select remove_member($1, $2, $2)", [network, other]);
    const made = invite();
    await untilWaiting(ask, 1);
    await letGo();
    expect(await made).toEqual({ outcome: "network_unknown", user_id: null });
  });
});

describe("invites of one network", () => {
  it("are no more than there may be, also where several are made at once", async () => {
    await ask(
      `insert into invites (id, network_id, code_hash, role, uses_left, expires_at)
        select gen_random_uuid(), $1, 'hash ' || n, 'member', 1, '2031-01-01' from generate_series(1, 98) n`,
      [network],
    );
    const letGo = await holding("select 1 from networks where id = $1 for no key update", [
      network,
    ]);
    const made = [invite(), invite(), invite(), invite()];
    await untilWaiting(ask, 4);
    await letGo();
    const outcomes = (await Promise.all(made)).map(({ outcome }) => outcome);
    expect(outcomes.toSorted()).toEqual(["created", "created", "too_many", "too_many"]);
  });
});

it("nobody is logged in whose account is deleted at that moment", async () => {
  const person = `person-${crypto.randomUUID()}`;
  await ask("select create_login($1, $1, 'hash')", [person]);
  const letGo = await holding("select close_person($1, $2)", [person, `ghost-${person}`]);
  const session = { tokenHash: crypto.randomUUID(), userId: person, expiresAtMs: NOW };
  const opened = createSession(db, session);
  await untilWaiting(ask, 1);
  await letGo();
  expect(await opened).toBe(false);
});
