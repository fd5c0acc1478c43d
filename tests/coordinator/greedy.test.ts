import { expect, it } from "vitest";
import { strangersTier, TIERS } from "#coordinator/domain/rate-tiers";
import { Transactions } from "#protocol/statement";
import { useCoordinator } from "#support/coordinator";
import { newPeer, type TestPeer } from "#support/test-peer";
import { membersOf } from "./members";

const REGISTRATIONS = 2;
const coordinator = useCoordinator({ REGISTRATIONS_PER_HOUR: String(REGISTRATIONS) });
const { join, serve } = membersOf(coordinator);

/** Many at a time; the statuses, in order. */
async function ask(count: number, one: (place: number) => Promise<Response>): Promise<number[]> {
  const statuses: number[] = [];
  for (let place = 0; place < count; place += 25) {
    const some = Array.from({ length: Math.min(25, count - place) }, (_, at) => one(place + at));
    for (const answer of await Promise.all(some)) {
      statuses.push(answer.status);
      await answer.text();
    }
  }
  return statuses;
}

async function holds(peer: TestPeer & { user: string }): Promise<number> {
  const list = await peer.call(`/users/${peer.user}/transactions?limit=200`);
  return Transactions.parse(await list.json()).transactions.filter(({ type }) => type === "hold")
    .length;
}

it("does nothing for a client whose window is full, and nothing for keys that are made up for one call", async () => {
  const model = `greedy/${crypto.randomUUID()}`;
  const [, client] = [await serve(model), await join()];
  const authorize = () => client.call("/authorize", { body: { model, budget: 1 } });
  const isRefused = (status: number) => status === 429;
  let letIn = 0;
  let last: string | undefined;
  let refused: number[];
  do {
    let some: number[];
    do {
      some = await ask(25, authorize);
      letIn += some.filter((status) => !isRefused(status)).length;
    } while (!some.every(isRefused));
    // Once it is known to be full nothing is held, not even to be given back.
    const page = await client.call(`/users/${client.user}/transactions?limit=1`);
    last = Transactions.parse(await page.json()).transactions[0]?.id;
    refused = await ask(50, authorize);
    // A machine that needs a window's minute for so many finds room in it again.
  } while (!refused.every(isRefused));
  expect(letIn).toBeGreaterThanOrEqual(TIERS.authorize.limit);
  const later = await client.call(`/users/${client.user}/transactions?limit=200`);
  const since = Transactions.parse(await later.json()).transactions.filter(
    ({ id, type }) => type === "hold" && Number(id) > Number(last),
  );
  expect(since).toEqual([]);
  expect(await holds(client)).toBeGreaterThan(0);

  const { limit } = strangersTier(REGISTRATIONS);
  const strangers = await ask(limit + 30, async () =>
    (await newPeer(coordinator().url)).call("/authorize", { body: { model } }),
  );
  expect(strangers.filter((status) => status === 403).length).toBeLessThanOrEqual(limit);
  expect(strangers.slice(-20)).toEqual(Array(20).fill(429));
  const stranger = await (await newPeer(coordinator().url)).call("/nodes");
  expect([stranger.status, stranger.headers.get("ratelimit-policy")]).toEqual([
    429,
    `"strangers";q=${limit};w=3600`,
  ]);
  expect(Number(stranger.headers.get("retry-after"))).toBeGreaterThan(0);
  // Who is known goes on, from the same address.
  expect((await client.call("/nodes")).status).toBe(200);
});
