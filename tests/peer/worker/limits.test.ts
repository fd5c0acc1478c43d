import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import { expect, it } from "vitest";
import type { Heartbeat } from "#protocol/heartbeat";
import { OpenAiError } from "#protocol/openai-error";
import { EMPTY_BODY_HASH, nodeAudience, PROOF_HEADER, signProof } from "#protocol/proof";
import { SEALED_PATH } from "#protocol/sealed-message";
import { TICKET_HEADER, TICKETS_PATH } from "#protocol/ticket";
import { fakeClock } from "./fake-clock";
import { scriptedEngine } from "./scripted-engine";
import { CHAT, chatBody, engine, sealedPost, startWorker } from "./worker-under-test";

it("a full node says so before the body comes, and takes requests again when one ends", async () => {
  const demo = engine({ firstTokenMs: 60_000 });
  const worker = await startWorker({ engines: [demo.url], concurrency: 1 });
  const leaving = new AbortController();
  const first = worker.post({ signal: leaving.signal });
  await demo.journal.until(({ path }) => path === CHAT);

  const { headers } = await sealedPost(worker, {}, 2);
  const text = await firstBytes(worker.ready.url, { ...headers, "content-length": "100000" });
  expect(text).toMatch(/^HTTP\/1\.1 503 /);
  expect(text).toMatch(/^retry-after: 1\r$/im);
  const { error } = OpenAiError.parse(JSON.parse(text.slice(text.indexOf("\r\n\r\n"))));
  expect(error.code).toBe("node_busy");
  const busy = await worker.network.heartbeats.until(({ state }) => state === "busy");
  expect(busy).toMatchObject({ running: 1, concurrency: 1 });

  leaving.abort();
  await first.catch(() => undefined);
  const { heartbeats } = worker.network;
  const isLater = (beat: Heartbeat) => heartbeats.all.indexOf(beat) > heartbeats.all.indexOf(busy);
  await heartbeats.until((beat) => beat.state === "serving" && isLater(beat));
  await demo.journal.until(({ outcome }) => outcome === "cancelled");
  demo.configure({ firstTokenMs: 0 });
  const next = await worker.post();
  expect(next.status).toBe(200);
  await next.text();
});

it("a stream ends with a clear error when its lease has nothing left, and what ran is told", async () => {
  const demo = engine({ tokensPerSecond: 50, tokensPerAnswer: 10_000 });
  const worker = await startWorker({ engines: [demo.url] });
  // 0.3 seconds of this node.
  const ticket = await worker.ticket({ budget: 300_000 });
  const answer = await worker.post({ ticket });
  expect(await answer.text()).toMatch(/"code":"budget_exhausted"\}\}\n\ndata: \[DONE\]\n\n$/);
  await demo.journal.until(({ outcome }) => outcome === "cancelled");
  const receipt = await worker.network.receipts.until(() => true);
  expect(receipt.outcome).toBe("budget_exhausted");
  expect(receipt.engine_ms).toBeGreaterThanOrEqual(300);
  expect((await worker.post({ ticket })).status).toBe(402);
});

/** Its streams begin at once, and end when the test says so. */
async function engineThatWaits(): Promise<{ readonly url: string; readonly end: () => void }> {
  const running: ServerResponse[] = [];
  const url = await scriptedEngine((response) => {
    running.push(response);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write('data: {"choices":[]}\n\n');
  });
  const end = () => {
    for (const response of running) response.end("data: [DONE]\n\n");
  };
  return { url, end };
}

it("a lease that was extended meanwhile goes on", async () => {
  const { url, end } = await engineThatWaits();
  const clock = fakeClock(Date.now());
  const worker = await startWorker({ engines: [url], clock });
  const jti = crypto.randomUUID();
  const first = await worker.post({ ticket: await worker.ticket({ jti, budget: 300_000 }) });
  // The client shows the larger ticket with its next request; the first one profits.
  const second = await worker.post({ ticket: await worker.ticket({ jti, budget: 60_000_000 }) });
  clock.advance(2_000);
  end();
  for (const answer of [first, second]) expect(await answer.text()).toMatch(/data: \[DONE\]\n\n$/);
  await worker.stop();
  expect(worker.network.receipts.all.map(({ outcome }) => outcome)).toEqual([
    "completed",
    "completed",
  ]);
});

it("a thousand streams run at once, none waits for another", async () => {
  const STREAMS = 1_000;
  const demo = engine({ slots: STREAMS, firstTokenMs: 60_000, journal: { limit: STREAMS + 20 } });
  const worker = await startWorker({ engines: [demo.url], concurrency: STREAMS });
  const { port, hostname } = new URL(worker.ready.url);
  // Together they cost a thousand credits a second.
  const ticket = await worker.ticket({ budget: 2 ** 40 });
  const sockets = await Promise.all(
    Array.from({ length: STREAMS }, async (_, seq) => {
      const { headers, body } = await sealedPost(worker, { ticket }, seq);
      const socket = connect(Number(port), hostname);
      socket.write(head({ host: "x", ...headers, "content-length": String(body.length) }));
      socket.write(body);
      return socket;
    }),
  );
  await expect.poll(() => demo.load(), { timeout: 20_000 }).toEqual({ busy: STREAMS, waiting: 0 });
  for (const socket of sockets) socket.destroy();
  await expect.poll(() => demo.load().busy, { timeout: 20_000 }).toBe(0);
});

function head(headers: Record<string, string>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${SEALED_PATH} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** What comes back for headers alone. */
function firstBytes(url: string, headers: Record<string, string>): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(head({ host: "x", ...headers }));
    });
    socket.once("error", reject);
    socket.once("data", (data) => {
      socket.destroy();
      resolve(data.toString());
    });
  });
}

it("a lease's newer ticket, shown on its own, lets what runs go on, also on a full node", async () => {
  const { url, end } = await engineThatWaits();
  const clock = fakeClock(Date.now());
  const worker = await startWorker({ engines: [url], concurrency: 1, clock });
  const jti = crypto.randomUUID();
  const running = await worker.post({ ticket: await worker.ticket({ jti, budget: 300_000 }) });
  const show = async (ticket: string, proofId: string = crypto.randomUUID()) => {
    const audience = nodeAudience(worker.nodeId);
    const about = {
      audience,
      method: "POST",
      target: TICKETS_PATH,
      bodyHash: EMPTY_BODY_HASH,
      seq: 9,
    };
    const proof = await signProof(worker.network.client, about, proofId, Date.now());
    const headers = { [TICKET_HEADER]: ticket, [PROOF_HEADER]: proof };
    return fetch(worker.ready.url + TICKETS_PATH, { method: "POST", headers });
  };
  const larger = await worker.ticket({ jti, budget: 60_000_000 });
  const proofId = crypto.randomUUID();
  expect((await show(larger, proofId)).status).toBe(204);
  expect((await show(larger, proofId)).status).toBe(401);
  expect((await show("x.y.z")).status).toBe(401);
  clock.advance(2_000);
  end();
  expect(await running.text()).toMatch(/data: \[DONE\]\n\n$/);
  await worker.stop();
  expect(worker.network.receipts.all).toMatchObject([{ outcome: "completed", engine_ms: 2_000 }]);
});

it("a request whose body is not the one that was said keeps no place", async () => {
  const demo = engine();
  const worker = await startWorker({ engines: [demo.url], concurrency: 1 });
  for (const body of [undefined, chatBody({ image: "A".repeat(400_000) })]) {
    const refused = await worker.post({ bodyHash: EMPTY_BODY_HASH, ...(body && { body }) });
    expect(refused.status).toBe(400);
    expect((await worker.post()).status).toBe(200);
  }
});

it("a request that came before keeps no place", async () => {
  const demo = engine();
  const worker = await startWorker({ engines: [demo.url], concurrency: 1 });
  const ticket = await worker.ticket();
  for (const status of [200, 401, 401]) {
    const answer = await worker.post({ ticket, seq: 0 });
    await answer.text();
    expect(answer.status).toBe(status);
  }
  expect((await worker.post({ ticket, seq: 1 })).status).toBe(200);
});
