import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { createJournal } from "#demo/engine/journal";
import { HELLO, post, running } from "./running-engine";

it("knows what reached the engine: path with query, headers, size and hash of the body", async () => {
  const engine = running({ voice: "vllm", journal: { bodyBytesKept: 10 } });
  const body = JSON.stringify({
    model: "demo-org/Demo-1B-Instruct",
    messages: HELLO,
    naïve: "日本",
  });
  await fetch(`${engine.url}/v1/chat/completions?beta=true`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-stainless-lang": "js" },
    body,
  });
  expect(engine.journal.entries()).toEqual([
    expect.objectContaining({
      method: "POST",
      path: "/v1/chat/completions?beta=true",
      headers: expect.objectContaining({ "x-stainless-lang": "js" }),
      bodyBytes: Buffer.byteLength(body),
      bodySha256: createHash("sha256").update(body).digest("hex"),
      body: new Uint8Array(Buffer.from(body.slice(0, 10))),
      model: "demo-org/Demo-1B-Instruct",
      status: 200,
      tokens: 40,
      outcome: "completed",
    }),
  ]);
});

it("notes a refused request with its status", async () => {
  const engine = running({ voice: "vllm" });
  await post(engine, "/v1/chat/completions", { messages: [] });
  expect(engine.journal.entries().at(-1)).toMatchObject({ status: 400, outcome: "refused" });
});

it("forgets the oldest beyond its limit, and still counts them", () => {
  const journal = createJournal({ limit: 3 });
  for (let at = 0; at < 10; at += 1) journal.open({ method: "GET", path: `/${at}`, headers: {} });
  expect(journal.entries().map(({ path }) => path)).toEqual(["/7", "/8", "/9"]);
  expect(journal.total).toBe(10);
});

it("remembers nothing with a limit of 0", () => {
  const journal = createJournal({ limit: 0 });
  journal.open({ method: "GET", path: "/", headers: {} });
  expect(journal.entries()).toEqual([]);
});

it("tells who waits for an entry about one that came before, comes, or changes", async () => {
  const journal = createJournal();
  const ended = journal.until(({ outcome }) => outcome === "cancelled");
  const entry = journal.open({ method: "GET", path: "/", headers: {} });
  expect(await journal.until(({ path }) => path === "/")).toBe(entry);
  journal.close(entry, "cancelled");
  journal.close(entry, "completed");
  expect((await ended).outcome).toBe("cancelled");
});
