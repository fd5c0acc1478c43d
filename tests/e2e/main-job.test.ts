import { afterAll, beforeAll, expect, it } from "vitest";
import { type DemoEngine, startDemoEngine } from "#demo/engine/start";
import { startNetwork, type TestNetwork } from "#support/network";

let engine: DemoEngine;
let network: TestNetwork;

beforeAll(async () => {
  engine = startDemoEngine({ voice: "ollama", deterministic: true });
  network = await startNetwork({ engineUrl: engine.url });
});

afterAll(async () => {
  await network.stop();
  await engine.close();
});

const model = () => engine.models().find(({ kind }) => kind === "chat")?.id ?? "";

function chat(body: object): Promise<Response> {
  return fetch(`${network.baseUrl}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer sk-mine" },
    body: JSON.stringify({ model: model(), messages: [{ role: "user", content: "Hi" }], ...body }),
  });
}

it("moves the same microcredits from the client's user to the worker's for an answered stream", async () => {
  const clientBefore = await network.balanceOf(network.client);
  const workerBefore = await network.balanceOf(network.worker);
  engine.configure({ firstTokenMs: 120 });
  const answer = await chat({ stream: true });
  expect(answer.status).toBe(200);
  expect((await answer.text()).trimEnd()).toMatch(/data: \[DONE\]\n\n: x-troop-credits: [\d.]+$/);
  engine.configure({ firstTokenMs: 0 });

  // Available, and long before the ten minutes of escrow: the client has acked it.
  await expect
    .poll(async () => (await network.balanceOf(network.worker)).available_microcredits)
    .toBeGreaterThan(workerBefore.available_microcredits);
  const client = await network.balanceOf(network.client);
  const worker = await network.balanceOf(network.worker);
  const paid = clientBefore.total_microcredits - client.total_microcredits;
  expect(paid).toBe(worker.total_microcredits - workerBefore.total_microcredits);
  // At least what the engine was asked to take, at one credit a second.
  expect(paid).toBeGreaterThanOrEqual(120_000);
  expect(paid).toBeLessThan(5_000_000);

  const { transactions } = (await network.run(network.worker.home, ["transactions"])) as {
    transactions: object[];
  };
  expect(transactions.slice(0, 2)).toMatchObject([
    {
      type: "release",
      model: model(),
      available_change_microcredits: paid,
      escrow_change_microcredits: -paid,
    },
    { type: "settlement", model: model(), escrow_change_microcredits: paid },
  ]);
  expect(await network.run(network.worker.home, ["earnings"])).toMatchObject({
    total: { requests: 1, microcredits: paid },
    by_model: [{ model: model(), requests: 1 }],
    by_node: [{ live: true, requests: 1 }],
  });
});

it("carries the app's body to the engine byte for byte, and its key not at all", async () => {
  const before = engine.journal.entries().length;
  const body = `{"model": ${JSON.stringify(model())},\n  "messages":[{"role":"user","content":"héllo \\u00e9 日本 🙂"}], "x_unknown": 1e2}`;
  const answer = await fetch(`${network.baseUrl}/v1/chat/completions?trace=1`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: "Bearer sk-secret",
      "x-api-key": "sk-secret",
      cookie: "a=b",
      "x-stainless-lang": "js",
    },
    body,
  });
  expect(answer.status).toBe(200);
  await answer.arrayBuffer();
  const [seen] = engine.journal.entries().slice(before);
  const hasher = new Bun.CryptoHasher("sha256");
  expect(seen?.bodySha256).toBe(hasher.update(body).digest("hex"));
  expect(seen?.path).toBe("/v1/chat/completions?trace=1");
  const headers = new Headers(seen?.headers);
  expect(headers.get("x-stainless-lang")).toBe("js");
  for (const name of ["authorization", "x-api-key", "cookie", "troop-ticket", "troop-proof"]) {
    expect(headers.has(name)).toBe(false);
  }
});

it("lists the models in OpenAI's shape and finds each by its id, raw and escaped", async () => {
  const list = (await (await fetch(`${network.baseUrl}/v1/models`)).json()) as {
    object: string;
    data: { id: string; object: string }[];
  };
  expect(list.object).toBe("list");
  // On shared stores there may be models of other tests beside them.
  const mine = engine.models().map(({ id }) => id);
  expect(list.data.map(({ id }) => id)).toEqual(expect.arrayContaining(mine));
  for (const id of mine) {
    for (const path of [id, encodeURIComponent(id)]) {
      const one = await fetch(`${network.baseUrl}/v1/models/${path}`);
      expect(await one.json()).toMatchObject({ id, object: "model" });
    }
  }
});

it("answers an unknown model with OpenAI's 404 that lists what is there", async () => {
  const answer = await chat({ model: "no/such-model" });
  expect(answer.status).toBe(404);
  const { error } = (await answer.json()) as { error: { code: string; message: string } };
  expect(error.code).toBe("model_not_found");
  expect(error.message).toContain(model());
});

it("goes on while the coordinator is away, with the ticket it has", async () => {
  expect((await chat({})).status).toBe(200);
  await network.coordinator.stop();
  for (let turn = 0; turn < 5; turn++) expect((await chat({})).status).toBe(200);
});
