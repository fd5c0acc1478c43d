import { beforeAll, beforeEach, expect, it } from "vitest";
import { createSession, endSession, readSession } from "#coordinator/store/sessions";
import { openTestStores, type TestStores } from "#support/stores";

let db: TestStores["db"];
let ask: TestStores["ask"];
let person: string;

beforeAll(async () => {
  const stores = await openTestStores();
  ({ db, ask } = stores);
  return stores.close;
});

beforeEach(async () => {
  person = crypto.randomUUID();
  await ask("select create_login($1, $1, 'hash')", [person]);
});

const HOUR_MS = 3_600_000;

async function open(tokenHash: string, lastsMs = HOUR_MS): Promise<boolean> {
  return createSession(db, { tokenHash, userId: person, expiresAtMs: Date.now() + lastsMs });
}

it("opens nothing with a session that is over, or was ended", async () => {
  const [current, over, ended] = ["current", "over", "ended"].map((name) => `${name} ${person}`);
  await open(`${current}`);
  await open(`${ended}`);
  // Last: whoever logs in forgets those that are over.
  await open(`${over}`, -1);
  await endSession(db, `${ended}`);
  expect(await readSession(db, `${current}`)).toMatchObject({ user_id: person, email: person });
  expect(await readSession(db, `${over}`)).toBeUndefined();
  expect(await readSession(db, `${ended}`)).toBeUndefined();
});

it("keeps the twenty newest sessions of a person, and forgets those that are over", async () => {
  await open(`over ${person}`, -1);
  for (let number = 1; number <= 22; number += 1) await open(`${number} ${person}`);
  const kept = await ask("select token_hash from sessions where user_id = $1 order by created_at", [
    person,
  ]);
  expect(kept.flat()).toEqual(Array.from({ length: 20 }, (_, place) => `${place + 3} ${person}`));
});

it("opens none for nobody", async () => {
  person = "nobody";
  expect(await open("nobody's")).toBe(false);
});
