import { beforeAll, expect, it } from "vitest";
import { deleteEventsBefore, insertEvents, readEvents } from "#coordinator/store/audit-events";
import { openTestStores, type TestStores } from "#support/stores";

/** Before anything that other tests write, so that what is deleted is this test's own. */
const LONG_AGO = Date.UTC(1990, 0, 1);

let db: TestStores["db"];

beforeAll(async () => {
  const stores = await openTestStores();
  ({ db } = stores);
  return stores.close;
});

it("forgets what is older than it was told, in pieces, and nothing else", async () => {
  const peer_id = crypto.randomUUID();
  const event = (at: number) =>
    ({ at, type: "peer_registered", user_id: null, peer_id, details: { "it's": 1 } }) as const;
  const old = Array.from({ length: 10_500 }, (_, second) => event(LONG_AGO + second * 1_000));
  for (let from = 0; from < old.length; from += 2_500) {
    await insertEvents(db, old.slice(from, from + 2_500));
  }
  const kept = LONG_AGO + 20_000_000;
  await insertEvents(db, [event(kept)]);

  expect(await deleteEventsBefore(db, kept)).toBe(10_500);
  expect(await deleteEventsBefore(db, kept)).toBe(0);
  const left = await readEvents(db, {
    peerId: peer_id,
    type: undefined,
    userId: undefined,
    sinceMs: undefined,
    beforeId: undefined,
    limit: 10,
  });
  expect(left.map((one) => [one.at_ms, one.details])).toEqual([[kept, { "it's": 1 }]]);
});
