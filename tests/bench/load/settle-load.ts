import { Authorization } from "#protocol/authorize";
import { MICROCREDITS_PER_CREDIT } from "#protocol/microcredits";
import type { ReceiptClaims } from "#protocol/receipt";
import { MAX_BATCH, SubmitAnswer, type SubmitRequest } from "#protocol/submit";
import { newPeer, type TestPeer } from "#support/test-peer";

export type SettlePlan = {
  readonly kind: "settle";
  readonly coordinatorUrl: string;
  /** Each sends its batches one after another; they send at the same time. */
  readonly nodes: number;
  /** Users who pay, each a share of every batch. */
  readonly payers: number;
  readonly batchesEach: number;
};

export type SettleResult = { readonly receiptsPerSecond: number; readonly batchMs: number[] };

const MODEL = "bench/model:1b";
const ENGINE_MS = 1_000;

export async function settleLoad(plan: SettlePlan): Promise<SettleResult> {
  const nodes = await Promise.all(Array.from({ length: plan.nodes }, () => joinNode(plan)));
  const batches = await Promise.all(
    nodes.map(async ({ node, model }) => {
      const granted = await leases(plan, model);
      return { node, batches: batchesOf(granted, plan.batchesEach + 1) };
    }),
  );
  // The first one is the warm-up.
  for (const {
    node,
    batches: [first],
  } of batches)
    await submit(node, first);

  const batchMs: number[] = [];
  const startMs = performance.now();
  await Promise.all(
    batches.map(async ({ node, batches: [, ...rest] }) => {
      for (const batch of rest) {
        const sentMs = performance.now();
        await submit(node, batch);
        batchMs.push(performance.now() - sentMs);
      }
    }),
  );
  const seconds = (performance.now() - startMs) / 1_000;
  return { receiptsPerSecond: (batchMs.length * MAX_BATCH) / seconds, batchMs };
}

/** Each node has a model of its own, so that its leases name it and no other. */
async function joinNode({
  coordinatorUrl,
}: SettlePlan): Promise<{ node: TestPeer; model: string }> {
  const node = await newPeer(coordinatorUrl);
  const model = `${MODEL}-${node.identity.peerId}`;
  const beat = await node.beat(await node.register(), {
    models: [{ id: model, engine: "vllm", state: "loaded" }],
  });
  if (beat.status !== 200) throw new Error(`a heartbeat was answered with ${beat.status}`);
  return { node, model };
}

function leases({ coordinatorUrl, payers }: SettlePlan, model: string): Promise<Authorization[]> {
  const budget = 100_000 * MICROCREDITS_PER_CREDIT;
  return Promise.all(
    Array.from({ length: payers }, async () => {
      const payer = await newPeer(coordinatorUrl);
      await payer.register();
      const answer = await payer.call("/authorize", { body: { model, budget } });
      if (!answer.ok) throw new Error(`an authorize was answered with ${answer.status}`);
      return Authorization.parse(await answer.json());
    }),
  );
}

function batchesOf(granted: readonly Authorization[], count: number): SubmitRequest[] {
  const tickets = granted.map(({ ticket }) => ticket);
  const batches: SubmitRequest[] = [];
  for (let batch = 0; batch < count; batch += 1) {
    const receipts = Array.from({ length: MAX_BATCH }, (_, item) => {
      const lease = granted[item % granted.length];
      if (lease === undefined) throw new RangeError("there is no payer");
      return {
        lease: lease.lease_id,
        seq: batch * MAX_BATCH + item,
        model: lease.model,
        engine: "vllm",
        started_at_ms: Date.now(),
        queue_ms: 0,
        ttft_ms: 20,
        engine_ms: ENGINE_MS,
        prompt_tokens: 100,
        completion_tokens: 50,
        outcome: "completed",
        request_hash: "h".repeat(43),
        response_hash: "r".repeat(43),
      } satisfies ReceiptClaims;
    });
    batches.push({ tickets, receipts });
  }
  return batches;
}

async function submit(node: TestPeer, batch: SubmitRequest | undefined): Promise<void> {
  const answer = await node.call("/transactions/submit", { body: batch });
  if (!answer.ok) throw new Error(`a batch was answered with ${answer.status}`);
  const { results } = SubmitAnswer.parse(await answer.json());
  const paid = results.filter((result) => result.status === "settled" && result.amount > 0);
  if (paid.length !== MAX_BATCH) throw new Error("not every receipt of a batch was paid");
}
