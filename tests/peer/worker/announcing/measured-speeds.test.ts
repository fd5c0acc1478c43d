import { expect, it } from "vitest";
import { createMeasuredSpeeds } from "#peer/worker/announcing/measured-speeds";
import type { ReceiptClaims } from "#protocol/receipt";
import { chatBody, engine, startWorker } from "../worker-under-test";
import { MODEL } from "../fake-network";

const RECEIPT: ReceiptClaims = {
  lease: crypto.randomUUID(),
  seq: 1,
  model: "m",
  engine: "vllm",
  started_at_ms: 0,
  queue_ms: 0,
  request_hash: "h",
  ttft_ms: 500,
  engine_ms: 2_500,
  prompt_tokens: 1_000,
  completion_tokens: 101,
  outcome: "completed",
};

function after(...steps: readonly (Partial<ReceiptClaims> & { readonly isCold?: boolean })[]) {
  const speeds = createMeasuredSpeeds();
  for (const { isCold = false, ...more } of steps) speeds.ended({ ...RECEIPT, ...more }, isCold);
  return speeds.of(["m"]);
}

it("tells prompt tokens until the first byte, and the others after it, a second", () => {
  expect(after({})).toEqual([{ model: "m", prefill_tokens_per_s: 2_000, decode_tokens_per_s: 50 }]);
});

it("takes the newest for a fifth, so that one odd request does not turn it over", () => {
  expect(after({}, { engine_ms: 1_500 })).toMatchObject([{ decode_tokens_per_s: 60 }]);
  expect(after({}, { prompt_tokens: 15 })).toMatchObject([{ prefill_tokens_per_s: 2_000 }]);
});

it.each([
  ["loaded its model first", { isCold: true }],
  ["was cut", { outcome: "cancelled" as const }],
  ["came in one piece", { ttft_ms: 2_481 }],
  ["was short", { completion_tokens: 16 }],
])("learns nothing from a request that %s", (_, more) => {
  expect(after(more)).toEqual([]);
});

it("learns nothing from a request of which no tokens were told", () => {
  const { completion_tokens: _, ...untold } = RECEIPT;
  const speeds = createMeasuredSpeeds();
  speeds.ended(untold, false);
  expect(speeds.of(["m"])).toEqual([]);
});

it("knows nothing of models that it did not serve", () => {
  const speeds = createMeasuredSpeeds();
  speeds.ended(RECEIPT, false);
  expect(speeds.of(["other"])).toEqual([]);
});

it("tells the coordinator with the next heartbeat", async () => {
  const demo = engine({ tokensPerSecond: 100, tokensPerAnswer: 250 });
  const worker = await startWorker({ engines: [demo.url], concurrency: 1 });
  const body = chatBody({ stream_options: { include_usage: true } });
  await (await worker.post({ body })).text();
  // One is due when it is no longer full.
  const { speeds } = await worker.network.heartbeats.until((beat) => beat.speeds !== undefined);
  expect(speeds).toMatchObject([{ model: MODEL }]);
});
