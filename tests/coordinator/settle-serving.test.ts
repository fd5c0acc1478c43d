import { Redis } from "@upstash/redis/cloudflare";
import { beforeAll, expect, it } from "vitest";
import { settleServing } from "#coordinator/settle-serving";
import { banKey } from "#coordinator/store/live-keys";
import { removeMember } from "#coordinator/store/members";
import { ENROLMENT_LIFETIME_S } from "#protocol/enrolment";
import { CLOCK_SKEW_S } from "#protocol/jws";
import { openTestStores, type TestStores } from "#support/stores";

let db: TestStores["db"];
let redis: TestStores["redis"];
let ask: TestStores["ask"];

beforeAll(async () => {
  const stores = await openTestStores();
  ({ db, redis, ask } = stores);
  return stores.close;
});

/** A network of an owner and a member, each of whom has one peer of the same name. */
async function scene() {
  const id = crypto.randomUUID();
  const [network, owner, member] = [`net-${id}`, `owner-${id}`, `member-${id}`];
  for (const user of [owner, member]) {
    await ask("select register_peer($1, 'x', null, $1, 0)", [user]);
  }
  await ask("select create_network($1, 'n', $2::jsonb, $3, 50)", [
    network,
    '{"credits": true, "serve": "members", "own_nodes_first": false, "allowed_models": []}',
    owner,
  ]);
  await ask("insert into memberships (network_id, user_id, role) values ($1, $2, 'member')", [
    network,
    member,
  ]);
  const isBanned = async () => (await redis.exists(banKey(network, member))) === 1;
  return { network, owner, member, isBanned };
}

it("bans who is no member, and lifts the ban of who is one again", async () => {
  const { network, owner, member, isBanned } = await scene();
  await removeMember(db, { peerId: owner, networkId: network, userId: member });
  await settleServing({ db, redis }, network, [member]);
  expect(await isBanned()).toBe(true);
  // For longer than any enrolment that names the network is taken, by whatever clock.
  const left = await redis.ttl(banKey(network, member));
  expect(left).toBeGreaterThan(ENROLMENT_LIFETIME_S + CLOCK_SKEW_S);
  await ask("insert into memberships (network_id, user_id, role) values ($1, $2, 'use-only')", [
    network,
    member,
  ]);
  await settleServing({ db, redis }, network, "members");
  expect(await isBanned()).toBe(true);
  await ask("update memberships set role = 'serve-only' where network_id = $1 and user_id = $2", [
    network,
    member,
  ]);
  await settleServing({ db, redis }, network, "members");
  expect(await isBanned()).toBe(false);
});

it("leaves the ban of a removal that overtook it", async () => {
  const { network, owner, member, isBanned } = await scene();
  let isOvertaken = false;
  /** Somebody removes the member between what is read here and what is written for it. */
  const del: Redis["del"] = async (...keys) => {
    if (!isOvertaken) {
      isOvertaken = true;
      await removeMember(db, { peerId: owner, networkId: network, userId: member });
      await settleServing({ db, redis }, network, [member]);
      expect(await isBanned()).toBe(true);
    }
    return redis.del(...keys);
  };
  const slow = Object.create(redis, { del: { value: del } }) as Redis;
  await settleServing({ db, redis: slow }, network, [member]);
  expect([isOvertaken, await isBanned()]).toEqual([true, true]);
});
