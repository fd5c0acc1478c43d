import { expect, it } from "vitest";
import { Authorization } from "#protocol/authorize";
import { ModelList, NodePage } from "#protocol/directory";
import type { ReceiptClaims } from "#protocol/receipt";
import { Balance, Transactions } from "#protocol/statement";
import { SubmitAnswer } from "#protocol/submit";
import { useCoordinator } from "#support/coordinator";
import { newPeer } from "#support/test-peer";

const coordinator = useCoordinator({ STARTER_CREDITS: "100" });

it("moves credits from the client's user to the node's for a served request, and nothing is lost", async () => {
  const node = await newPeer(coordinator().url);
  const client = await newPeer(coordinator().url);
  const nodeReg = await node.register();
  const clientReg = await client.register();
  expect((await node.beat(nodeReg)).status).toBe(200);

  const models = ModelList.parse(await (await client.call("/v1/models")).json());
  expect(models.data.map((m) => m.id)).toContain("org/model:tag");
  const nodes = NodePage.parse(await (await client.call("/nodes")).json());
  expect(nodes.nodes.map((n) => n.node_id)).toContain(node.identity.peerId);

  const answer = await client.call("/authorize", { body: { model: "org/model:tag" } });
  expect(answer.status).toBe(200);
  const granted = Authorization.parse(await answer.json());
  expect(granted.budget).toBe(60_000_000);

  const receipt: ReceiptClaims = {
    lease: granted.lease_id,
    seq: 0,
    model: "org/model:tag",
    engine: "ollama",
    started_at_ms: Date.now(),
    queue_ms: 0,
    // Less than has passed since the ticket: more would not be paid.
    engine_ms: 3,
    outcome: "completed",
    request_hash: "x".repeat(43),
  };
  const batch = { tickets: [granted.ticket], receipts: [receipt, receipt] };
  const settled = SubmitAnswer.parse(
    await (await node.call("/transactions/submit", { body: batch })).json(),
  );
  expect(settled.results).toEqual([
    { status: "settled", amount: 3_000 },
    { status: "already_settled", amount: 3_000 },
  ]);

  const balanceOf = async (peer: typeof node, user: string) =>
    Balance.parse(await (await peer.call(`/users/${user}/balance`)).json());
  expect(await balanceOf(node, nodeReg.user_id)).toMatchObject({ total: "100.003", held: "0" });
  expect(await balanceOf(client, clientReg.user_id)).toMatchObject({
    available: "40",
    held: "59.997",
    total: "99.997",
  });
  const list = Transactions.parse(
    await (await client.call(`/users/${clientReg.user_id}/transactions`)).json(),
  );
  expect(list.transactions.map((t) => t.type)).toEqual(["settlement", "hold", "starter_grant"]);
});
