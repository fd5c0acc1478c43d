import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { migrate } from "#self-host/migrate";
import { openStores, type Stores } from "#self-host/stores";
import { testStores } from "#support/coordinator";

/** Peers of a world, each with a user of its own; any of them can be client and node. */
export const PEERS = [0, 1, 2];
/** Users that are people, to whom peers can be linked; they begin with nothing. */
export const PEOPLE = [3, 4];
export const STARTER = 5_000_000;
/** Microcredits a second. */
export const RATE = 1_000_000;

export type Rows = readonly (readonly (string | null)[])[];
export type Ask = (text: string, params?: readonly (string | null)[]) => Promise<Rows>;

/** The migrated database of the tests of one file. */
export function useLedger(): Ask {
  let stores: Stores | undefined;
  beforeAll(async () => {
    stores = await openStores(testStores);
    const folder = join(import.meta.dirname, "../../drizzle/migrations");
    await migrate({ backend: stores.sql, folder });
  });
  afterAll(() => stores?.close());
  return async (text, params = []) => {
    if (stores === undefined) throw new Error("The database is not open yet.");
    return (await stores.sql.query({ text, params })).rows;
  };
}

/** Peers, leases and a model of their own in a database that other tests of the file use. */
export type World = {
  readonly ask: Ask;
  readonly model: string;
  readonly peer: (index: number) => string;
  readonly user: (index: number) => string;
  readonly lease: (index: number) => string;
};

export async function newWorld(ask: Ask): Promise<World> {
  const id = crypto.randomUUID();
  const world: World = {
    ask,
    model: `model-${id}`,
    peer: (index) => `p${index}-${id}`,
    user: (index) => `u${index}-${id}`,
    lease: (index) => `${id.slice(0, -4)}${`${index}`.padStart(4, "0")}`,
  };
  for (const index of PEERS) await register(world, index);
  for (const index of PEOPLE) {
    await ask("select create_login($1, $1, 'hash')", [world.user(index)]);
  }
  return world;
}

export async function register({ ask, peer, user }: World, index: number): Promise<void> {
  await ask("select register_peer($1, 'x', null, $2, $3)", [
    peer(index),
    user(index),
    `${STARTER}`,
  ]);
}

export type Receipt = {
  readonly node: number;
  readonly lease: number;
  readonly seq: number;
  readonly engineMs: number;
  readonly promptTokens?: number | undefined;
  readonly completionTokens?: number | undefined;
  readonly outcome?: string;
  readonly requestHash?: string;
  readonly responseHash?: string | undefined;
};

export type Ack = Omit<Receipt, "engineMs"> & { readonly client: number; readonly wallMs: number };

/** `soon`: nothing in escrow is due; `late`: as if ten minutes had passed for all that is there. */
export type When = "soon" | "late";

const escrowBefore = (when: When) =>
  when === "soon" ? "now() - interval '10 min'" : "now() + interval '1 hour'";

export type Result = { readonly status: string; readonly amount: number };

/** What one call of `POST /transactions/submit` does once its items are verified. */
export async function settle(
  world: World,
  receipts: readonly Receipt[],
  acks: readonly Ack[] = [],
  when: When = "soon",
): Promise<Result[]> {
  const common = (one: Receipt | Ack) => ({
    lease: world.lease(one.lease),
    seq: one.seq,
    node: world.peer(one.node),
    prompt_tokens: one.promptTokens,
    completion_tokens: one.completionTokens,
    outcome: one.outcome ?? "completed",
    request_hash: one.requestHash ?? "q",
    response_hash: one.responseHash,
  });
  const receiptRows = receipts.map((receipt, item) => ({
    ...common(receipt),
    item,
    claim: (receipt.engineMs * RATE) / 1_000,
    rate: RATE,
    engine: "ollama",
    started_at_ms: 1_700_000_000_000,
    queue_ms: 0,
    engine_ms: receipt.engineMs,
  }));
  const ackRows = acks.map((ack, place) => ({
    ...common(ack),
    item: receipts.length + place,
    client: world.peer(ack.client),
    wall_ms: ack.wallMs,
  }));
  const rows = await world.ask(
    `select status, amount from settle_batch($1::jsonb, $2::jsonb, ${escrowBefore(when)}) order by item`,
    [JSON.stringify(receiptRows), JSON.stringify(ackRows)],
  );
  return rows.map(([status, amount]) => ({ status: status ?? "", amount: Number(amount) }));
}

export async function hold(
  world: World,
  { peer, lease, budget }: { peer: number; lease: number; budget: number },
): Promise<{ outcome: string; budget: number }> {
  const [row] = await world.ask(
    `select outcome, budget from hold_credits($1, $2, 'public', $3, $4, now() + interval '5 min',
      now() - interval '10 min', now() - interval '10 min')`,
    [world.lease(lease), world.peer(peer), world.model, `${budget}`],
  );
  return { outcome: row?.[0] ?? "", budget: Number(row?.[1]) };
}

export async function extend(
  world: World,
  { peer, lease, add, key }: { peer: number; lease: number; add: number; key: number },
): Promise<{ outcome: string; budget: number }> {
  const [row] = await world.ask(
    "select outcome, budget from extend_lease($1, $2, $3, now() + interval '6 min', $4)",
    [world.lease(lease), world.peer(peer), `${add}`, `${key}`],
  );
  return { outcome: row?.[0] ?? "", budget: Number(row?.[1]) };
}

/** Gives a peer to a person, as an approved device code does. */
export async function link(
  { ask, peer, user }: World,
  { peer: index, person }: { peer: number; person: number },
): Promise<string> {
  const [row] = await ask("select link_peer($1, 'x', null, $2, $3)", [
    peer(index),
    user(person),
    `${STARTER}`,
  ]);
  return row?.[0] ?? "";
}

/** Signs a peer out of the person that it belongs to; whether it did. */
export async function revoke(
  { ask, peer, user }: World,
  { peer: index, person }: { peer: number; person: number },
): Promise<boolean> {
  const ghost = user(crypto.getRandomValues(new Uint32Array(1))[0] ?? 0);
  const [row] = await ask("select revoke_peer($1, $2, $3)::int", [
    peer(index),
    user(person),
    ghost,
  ]);
  return row?.[0] === "1";
}

export async function voidLease(world: World, lease: number): Promise<void> {
  await world.ask("select void_lease($1)", [world.lease(lease)]);
}

/** As if all leases of a user had ended long ago; how many that refunded. */
export async function expire(world: World, user: number): Promise<number> {
  const text = "select release_leases($1, now() + interval '1 hour', 1000)";
  return Number((await world.ask(text, [world.user(user)]))[0]?.[0]);
}

/** As if ten minutes had passed for all that a user has in escrow; how many receipts that released. */
export async function releaseEscrow(world: World, user: number): Promise<number> {
  const text = `select release_escrow($1, ${escrowBefore("late")}, 1000)`;
  return Number((await world.ask(text, [world.user(user)]))[0]?.[0]);
}

export type Balances = {
  readonly available: number;
  readonly held: number;
  readonly escrow: number;
};

export async function balances({ ask, user }: World, index: number): Promise<Balances> {
  const rows = await ask("select kind, balance from accounts where user_id = $1", [user(index)]);
  const of = (kind: string) => Number(rows.find(([name]) => name === kind)?.[1]);
  return { available: of("available"), held: of("held"), escrow: of("escrow") };
}
