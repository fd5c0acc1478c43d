import type { Redis } from "@upstash/redis/cloudflare";
import { beforeAll, expect, it } from "vitest";
import { markAgain } from "#coordinator/mark-again";
import { settleSuspension } from "#coordinator/settle-suspension";
import { reinstatePeer, suspendPeer } from "#coordinator/store/admin";
import { suspendedKey } from "#coordinator/store/live-keys";
import { openTestStores, type TestStores } from "#support/stores";

let db: TestStores["db"];
let redis: TestStores["redis"];
let ask: TestStores["ask"];

beforeAll(async () => {
  const stores = await openTestStores();
  ({ db, redis, ask } = stores);
  return stores.close;
});

async function newNode(): Promise<string> {
  const node = crypto.randomUUID();
  await ask("select register_peer($1, 'x', null, $1, 0)", [node]);
  return node;
}

const markOf = (node: string) => redis.get<string>(suspendedKey(node));
const suspend = (node: string, reason: string) => suspendPeer(db, node, reason, Date.now());

/** The same Redis, on the way to which something happens before the first command of that name. */
function overtaken(name: "del" | "eval", by: () => Promise<void>): Redis {
  let isDone = false;
  const command = async (...given: unknown[]): Promise<unknown> => {
    if (!isDone) {
      isDone = true;
      await by();
    }
    const real: unknown = Reflect.get(redis, name);
    return typeof real === "function" ? (Reflect.apply(real, redis, given) as unknown) : undefined;
  };
  return Object.create(redis, { [name]: { value: command } }) as Redis;
}

it("marks who is suspended with the newest reason, and nobody who was reinstated", async () => {
  const node = await newNode();
  await suspend(node, "first");
  await settleSuspension({ db, redis }, node);
  await suspend(node, "second");
  await settleSuspension({ db, redis }, node);
  expect(await markOf(node)).toBe("second");
  await reinstatePeer(db, node);
  await settleSuspension({ db, redis }, node);
  expect(await markOf(node)).toBeNull();
});

it("leaves no mark of a suspension that was lifted before it was written", async () => {
  const node = await newNode();
  await suspend(node, "tests");
  const slow = overtaken("eval", async () => {
    await reinstatePeer(db, node);
    await settleSuspension({ db, redis }, node);
  });
  await settleSuspension({ db, redis: slow }, node);
  expect(await markOf(node)).toBeNull();
});

it("leaves the mark of a suspension that came before the one before was lifted", async () => {
  const node = await newNode();
  const slow = overtaken("del", async () => {
    await suspend(node, "tests");
    await settleSuspension({ db, redis }, node);
  });
  await settleSuspension({ db, redis: slow }, node);
  expect(await markOf(node)).toBe("tests");
});

it("writes all marks anew that Redis has lost, in one call, and none of a suspension that was lifted meanwhile", async () => {
  const [kept, lifted] = [await newNode(), await newNode()];
  for (const node of [kept, lifted]) await suspend(node, "tests");
  const slow = overtaken("eval", async () => {
    await reinstatePeer(db, lifted);
    await settleSuspension({ db, redis }, lifted);
  });
  let calls = 0;
  const count = (...given: Parameters<Redis["eval"]>): Promise<unknown> => {
    calls += 1;
    return slow.eval(...given);
  };
  const counting = Object.create(slow, { eval: { value: count } }) as Redis;
  await markAgain({ db, redis: counting, nowMs: Date.now });
  expect([await markOf(kept), await markOf(lifted), calls]).toEqual(["tests", null, 1]);
});
