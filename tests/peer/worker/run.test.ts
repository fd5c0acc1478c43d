import { expect, it } from "vitest";
import { CHAT, chatBody, engine, startWorker } from "./worker-under-test";

it("answers a ticket's holder with every byte of the engine's answer, and hands in the receipt", async () => {
  const demo = engine({ deterministic: true });
  const worker = await startWorker({ engines: [demo.url] });
  expect(worker.ready).toMatchObject({ models: 1, engines: ["vllm"] });

  const direct = await fetch(demo.url + CHAT, {
    method: "POST",
    body: chatBody({ stream_options: { include_usage: true } }),
    headers: { "content-type": "application/json" },
  });
  const answer = await worker.post({ body: chatBody({ stream_options: { include_usage: true } }) });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe(direct.headers.get("content-type"));
  expect(await answer.text()).toBe(await direct.text());

  const receipt = await worker.network.receipts.until(() => true);
  expect(receipt).toMatchObject({
    iss: worker.nodeId,
    seq: 1,
    engine: "vllm",
    outcome: "completed",
    completion_tokens: 40,
  });
});
