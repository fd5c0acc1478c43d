import { expect, it } from "vitest";
import { Transactions } from "#protocol/statement";
import { useCoordinator } from "#support/coordinator";
import { type Member, membersOf } from "./members";

const coordinator = useCoordinator({ STARTER_CREDITS: "100" });
const { ackOf, authorize, balance, join, receiptOf, serve, submit } = membersOf(coordinator);

let scenes = 0;
async function scene() {
  const model = `escrow/${++scenes}`;
  const node = await serve(model);
  const client = await join();
  return { node, client, granted: await authorize(client, { model, budget: 10_000_000 }) };
}

async function movements({ call, user }: Member): Promise<(string | undefined)[][]> {
  const page = Transactions.parse(await (await call(`/users/${user}/transactions`)).json());
  return page.transactions.map((t) => [t.type, t.available_change, t.held_change, t.escrow_change]);
}

const SETTLED = { status: "settled", amount: 2_000 };
const MATCHED = { status: "matched", amount: 2_000 };

it("keeps what a receipt earned in escrow until the client's ack", async () => {
  const { node, client, granted } = await scene();
  expect(await submit(node, [granted], [receiptOf(granted)])).toEqual([SETTLED]);
  expect(await balance(node)).toMatchObject({
    available: "100",
    in_escrow: "0.002",
    total: "100.002",
  });
  expect(await balance(client)).toMatchObject({ available: "90", held: "9.998", in_escrow: "0" });

  const acks = [ackOf(node, granted)];
  expect(await submit(client, [granted], { acks })).toEqual([MATCHED]);
  expect(await balance(node)).toMatchObject({ available: "100.002", in_escrow: "0" });
  expect(await submit(client, [granted], { acks })).toEqual([{ status: "already_acked" }]);
  expect(await movements(node)).toEqual([
    ["release", "0.002", "0", "-0.002"],
    ["settlement", "0", "0", "0.002"],
    ["starter_grant", "100", "0", "0"],
  ]);
});

it("pays at once a receipt that comes behind its ack", async () => {
  const { node, client, granted } = await scene();
  const acks = [ackOf(node, granted)];
  expect(await submit(client, [granted], { acks })).toEqual([{ status: "kept" }]);
  expect(await submit(node, [granted], [receiptOf(granted)])).toEqual([SETTLED]);
  expect(await balance(node)).toMatchObject({ available: "100.002", in_escrow: "0" });
});

it("settles once whichever of ack and receipt comes first, however they race", async () => {
  const { node, client, granted } = await scene();
  const [receipt, ack] = [receiptOf(granted), ackOf(node, granted)];
  await Promise.all(
    Array.from({ length: 20 }, (_, place) =>
      place % 2 === 0
        ? submit(node, [granted], [receipt])
        : submit(client, [granted], { acks: [ack] }),
    ),
  );
  expect(await balance(node)).toMatchObject({ available: "100.002", in_escrow: "0" });
  expect(await balance(client)).toMatchObject({ total: "99.998" });
});

it("settles the smaller of two claims, gives the rest back under the lease, and tells the client", async () => {
  const { node, client, granted } = await scene();
  const other = "x".repeat(43);
  const receipt = receiptOf(granted);
  const acks = [ackOf(node, granted, { request_hash: other, wall_ms: 1 })];
  expect(await submit(node, [granted], [receipt])).toEqual([SETTLED]);
  expect(await submit(client, [granted], { acks })).toEqual([
    { status: "disputed", amount: 1_000 },
  ]);
  expect(await balance(node)).toMatchObject({ available: "100.001", in_escrow: "0" });
  expect(await balance(client)).toMatchObject({ available: "90", held: "9.999" });
  expect((await movements(client))[0]).toEqual(["dispute", "0", "0.001", "0"]);
  expect(await submit(node, [granted], [receipt])).toEqual([
    { status: "already_settled", amount: 1_000 },
  ]);
});

it("takes receipts and acks of a user's own nodes in one batch, for nothing", async () => {
  const node = await serve("escrow/own");
  const granted = await authorize(node, { model: "escrow/own" });
  const batch = {
    receipts: [receiptOf(granted)],
    acks: [ackOf(node, granted)],
  };
  expect(await submit(node, [granted], batch)).toEqual([
    { status: "settled", amount: 0 },
    { status: "matched", amount: 0 },
  ]);
  expect((await balance(node)).total).toBe("100");
});
