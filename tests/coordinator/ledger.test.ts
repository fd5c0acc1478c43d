import { expect, it } from "vitest";
import { Authorization, Extension } from "#protocol/authorize";
import { ModelList, NodePage } from "#protocol/directory";
import { Problem } from "#protocol/problem";
import { Registration } from "#protocol/register";
import { Transactions } from "#protocol/statement";
import { SubmitAnswer } from "#protocol/submit";
import { TICKET_LIFETIME_S } from "#protocol/ticket";
import { useCoordinator } from "#support/coordinator";
import { newPeer } from "#support/test-peer";
import { membersOf } from "./members";

const coordinator = useCoordinator({ STARTER_CREDITS: "100" });

const { authorize, balance, join, receiptOf, serve, submit } = membersOf(coordinator);

/** Asks again, as peers do, where a store did not answer in time. */
async function insist(ask: () => Promise<Response>, onAgain = () => {}): Promise<Response> {
  for (;;) {
    const answer = await ask();
    if (answer.status < 500) return answer;
    expect([503, 504]).toContain(answer.status);
    onAgain();
  }
}

it("grants starter credits once to 50 first touches of one user at the same time", async () => {
  const peer = await newPeer(coordinator().url);
  const register = () => insist(() => peer.call("/register", { body: {} }));
  const all = await Promise.all(Array.from({ length: 50 }, register));
  const said = await Promise.all(all.map((answer) => answer.json()));
  const users = new Set(said.map((one) => Registration.parse(one).user_id));
  expect(users.size).toBe(1);
  const [user] = users;
  expect((await balance({ ...peer, user: user ?? "" })).total).toBe("100");
});

it("never holds more than there is for 100 authorizes on one balance at the same time", async () => {
  await serve("race/model");
  const client = await join();
  const answers = await Promise.all(
    Array.from({ length: 100 }, () =>
      client.call("/authorize", { body: { model: "race/model", budget: 30_000_000 } }),
    ),
  );
  const budgets: number[] = [];
  let unanswered = 0;
  for (const answer of answers) {
    if (answer.ok) budgets.push(Authorization.parse(await answer.json()).budget);
    else if (answer.status === 503) unanswered += 1;
    else expect(answer.status).toBe(402);
  }
  const largestFirst = budgets.toSorted((a, b) => b - a);
  const parts = [30_000_000, 30_000_000, 30_000_000, 10_000_000];
  // What a slow machine did not answer in time may be held all the same.
  if (unanswered === 0) expect(largestFirst).toEqual(parts);
  else expect(parts).toEqual(expect.arrayContaining(largestFirst));
  expect(await balance(client)).toMatchObject({ available: "0", held: "100" });
});

it("tells a user without credits the balance, what is held and what earns more", async () => {
  await serve("poor/model");
  const client = await join();
  await authorize(client, { model: "poor/model", budget: 100_000_000 });
  const answer = await client.call("/authorize", { body: { model: "poor/model" } });
  const said = Problem.parse(await answer.json());
  expect(said).toMatchObject({
    status: 402,
    code: "credits_exhausted",
    balance_microcredits: 0,
    held_microcredits: 100_000_000,
  });
  expect(said.detail).toContain("troop worker");
});

it("gives a user with 10 credits a lease of 10 credits", async () => {
  await serve("rest/model");
  const client = await join();
  await authorize(client, { model: "rest/model", budget: 90_000_000 });
  const granted = await authorize(client, { model: "rest/model", budget: 60_000_000 });
  expect(granted.budget).toBe(10_000_000);
});

it("gives the hold back where no node has the model", async () => {
  const client = await join();
  const answer = await client.call("/authorize", { body: { model: "nobody/has-it" } });
  expect(Problem.parse(await answer.json()).code).toBe("model_unavailable");
  await expect.poll(async () => (await balance(client)).held).toBe("0");
  expect((await balance(client)).available).toBe("100");
});

it("settles one receipt once of 50 copies at the same time", async () => {
  const node = await serve("copies/model");
  const client = await join();
  const granted = await authorize(client, { model: "copies/model" });
  const receipt = receiptOf(granted);
  const body = { tickets: [granted.ticket], receipts: [receipt] };
  let unanswered = 0;
  const handIn = async () => {
    const answer = await insist(
      () => node.call("/transactions/submit", { body }),
      () => (unanswered += 1),
    );
    return SubmitAnswer.parse(await answer.json()).results;
  };
  const results = (await Promise.all(Array.from({ length: 50 }, handIn))).flat();
  const settled = results.filter((result) => result.status === "settled");
  // The first one may be among those that a slow machine did not answer in time.
  if (unanswered === 0) expect(settled).toEqual([{ status: "settled", amount: 2_000 }]);
  else expect(settled.length).toBeLessThanOrEqual(1);
  expect(results).toHaveLength(50);
  expect((await balance(node)).total).toBe("100.002");
  expect((await balance(client)).total).toBe("99.998");
});

it("pays no more than the budget, across receipts", async () => {
  const node = await serve("budget/model");
  const client = await join();
  const granted = await authorize(client, { model: "budget/model", budget: 5_000 });
  const receipts = [0, 1, 2].map((seq) => receiptOf(granted, { seq }));
  expect(await submit(node, [granted], receipts)).toEqual([
    { status: "settled", amount: 2_000 },
    { status: "settled", amount: 2_000 },
    { status: "settled", amount: 1_000 },
  ]);
  expect(await balance(client)).toMatchObject({ total: "99.995", held: "0" });
});

it("pays no more than the wall clock allows", async () => {
  const node = await serve("clock/model");
  const client = await join();
  const granted = await authorize(client, { model: "clock/model", budget: 100_000_000 });
  const issuedAtMs = (granted.expires_at - TICKET_LIFETIME_S) * 1_000;
  // Claims a day, and a start before the ticket, as a node's clock could say.
  const started_at_ms = issuedAtMs - 20_000;
  const receipt = receiptOf(granted, { engine_ms: 80_000_000, started_at_ms });
  const [result] = await submit(node, [granted], [receipt]);
  expect(result).toMatchObject({ status: "settled" });
  const earned = (await balance(node)).total_microcredits - 100_000_000;
  expect(earned).toBeGreaterThan(0);
  expect(earned).toBeLessThanOrEqual((Date.now() - issuedAtMs) * 1_000);
});

it("serves a user's own requests for nothing", async () => {
  const node = await serve("own/model");
  const granted = await authorize(node, { model: "own/model" });
  expect(granted.candidates[0]?.own).toBe(true);
  const [result] = await submit(node, [granted], [receiptOf(granted)]);
  expect(result).toEqual({ status: "settled", amount: 0 });
  expect((await balance(node)).total).toBe("100");
});

it("extends a lease by what there is, and only for the peer that has it", async () => {
  await serve("extend/model");
  const client = await join();
  const granted = await authorize(client, { model: "extend/model", budget: 10_000_000 });
  const body = { ticket: granted.ticket, add: 500_000_000 };
  const extended = Extension.parse(await (await client.call("/authorize/extend", { body })).json());
  expect(extended).toMatchObject({ lease_id: granted.lease_id, budget: 100_000_000 });
  expect(await balance(client)).toMatchObject({ available: "0", held: "100" });

  const thief = await join();
  const refused = await thief.call("/authorize/extend", { body });
  expect(Problem.parse(await refused.json()).code).toBe("lease_not_found");
});

it("lists what each movement did to what is available and to what is held", async () => {
  const node = await serve("amounts/model");
  const client = await join();
  const granted = await authorize(client, { model: "amounts/model", budget: 10_000_000 });
  await submit(node, [granted], [receiptOf(granted)]);
  const page = Transactions.parse(
    await (await client.call(`/users/${client.user}/transactions`)).json(),
  );
  const changes = page.transactions.map((t) => [t.type, t.available_change, t.held_change]);
  expect(changes).toEqual([
    ["settlement", "0", "-0.002"],
    ["hold", "-10", "10"],
    ["starter_grant", "100", "0"],
  ]);
});

it("shows a statement to its user only, newest first, page by page", async () => {
  const node = await serve("pages/model");
  const client = await join();
  const granted = await authorize(client, { model: "pages/model" });
  await submit(node, [granted], [receiptOf(granted)]);
  const types: string[] = [];
  let cursor: string | undefined;
  do {
    const query = cursor === undefined ? "" : `&cursor=${cursor}`;
    const page = Transactions.parse(
      await (await client.call(`/users/${client.user}/transactions?limit=1${query}`)).json(),
    );
    types.push(...page.transactions.map(({ type }) => type));
    cursor = page.next_cursor;
  } while (cursor !== undefined);
  expect(types).toEqual(["settlement", "hold", "starter_grant"]);

  const stranger = await join();
  for (const what of ["balance", "transactions"]) {
    expect((await stranger.call(`/users/${client.user}/${what}`)).status).toBe(404);
  }
});

it("moves nothing for an extension that is refused", async () => {
  await serve("refused/model");
  const client = await join();
  const granted = await authorize(client, { model: "refused/model", budget: 1_000_000 });
  const proof = { jti: crypto.randomUUID() };
  const body = { ticket: granted.ticket, add: 1_000_000 };
  expect((await client.call("/authorize/extend", { body, proof })).status).toBe(200);
  const before = await balance(client);
  expect((await client.call("/authorize/extend", { body, proof })).status).toBe(401);
  expect(await balance(client)).toEqual(before);
});

it("takes a model off the list with the last node that offers it, and a node that leaves off its list", async () => {
  const reader = await join();
  const listed = async () => {
    const list = ModelList.parse(await (await reader.call("/v1/models")).json());
    return list.data.map(({ id }) => id).filter((id) => id.startsWith("leaving/"));
  };
  const offer = (id: string) => ({ id, engine: "ollama", state: "loaded" }) as const;
  const [first, second] = [await newPeer(coordinator().url), await newPeer(coordinator().url)];
  const [a, b] = [await first.register(), await second.register()];
  await first.beat(a, { models: [offer("leaving/both"), offer("leaving/one")] });
  await second.beat(b, { models: [offer("leaving/both")] });
  expect(await listed()).toEqual(["leaving/both", "leaving/one"]);
  await first.beat(a, { models: [offer("leaving/one")], withdrawn: ["leaving/both"] });
  expect(await listed()).toEqual(["leaving/both", "leaving/one"]);
  await second.beat(b, { models: [], withdrawn: ["leaving/both"] });
  expect(await listed()).toEqual(["leaving/one"]);
  await first.beat(a, { state: "leaving", models: [offer("leaving/one")] });
  expect(await listed()).toEqual([]);
  const { nodes } = NodePage.parse(await (await reader.call("/nodes")).json());
  expect(nodes.map((node) => node.node_id)).not.toContain(first.identity.peerId);
});

it("takes a node off the lists whose owner needs it, and puts it back when it lends again", async () => {
  const reader = await join();
  const node = await newPeer(coordinator().url);
  const registration = await node.register();
  const models = [{ id: "paused/model", engine: "ollama", state: "loaded" } as const];
  const gpus = [{ name: "NVIDIA GeForce RTX 3060", vram_total_mib: 12_288 }];
  const listed = async () => {
    const page = NodePage.parse(await (await reader.call("/peers?model=paused/model")).json());
    return page.nodes;
  };
  const lends_until = Math.floor(Date.now() / 1_000) + 3_600;
  const speeds = [{ model: "paused/model", decode_tokens_per_s: 41 }];
  await node.beat(registration, { models, gpus, speeds, lends_until });
  expect(await listed()).toMatchObject([{ gpus, speeds, lends_until }]);
  const withdrawn = ["paused/model"];
  await node.beat(registration, { state: "paused", reason: "user_active", models: [], withdrawn });
  expect(await listed()).toEqual([]);
  const { nodes } = NodePage.parse(await (await reader.call("/peers")).json());
  expect(nodes.map((each) => each.node_id)).not.toContain(node.identity.peerId);
  const body = { model: "paused/model" };
  expect((await reader.call("/authorize", { body })).status).toBeGreaterThanOrEqual(400);
  await node.beat(registration, { models });
  expect(await listed()).toHaveLength(1);
});
