import { connect } from "node:net";
import { expect, it } from "vitest";
import { callTag, directionKey } from "#peer/e2e/aead";
import { formatSessionMark, SEALED_PATH, SESSION_HEADER } from "#protocol/sealed-message";
import {
  chatBody,
  engine,
  sealedPost,
  startWorker,
  type WorkerUnderTest,
} from "./worker-under-test";

async function send(
  worker: WorkerUnderTest,
  sealed: { readonly headers: Record<string, string>; readonly body: Buffer<ArrayBuffer> },
): Promise<Response> {
  const { headers, body } = sealed;
  return fetch(worker.ready.url + SEALED_PATH, { method: "POST", headers, body });
}

async function codeOf(answer: Response): Promise<string | null> {
  await answer.arrayBuffer();
  return answer.headers.get("troop-refusal");
}

/** A worker and a client that has begun a session with it. */
async function begun() {
  const demo = engine();
  const worker = await startWorker({ engines: [demo.url] });
  const ticket = await worker.ticket();
  expect((await worker.post({ ticket, seq: 0 })).status).toBe(200);
  return { demo, worker, ticket };
}

it("asks for a proof once in a session", async () => {
  const { worker, ticket } = await begun();
  for (const seq of [1, 2, 3]) {
    const answer = await worker.post({ ticket, seq, proof: false });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toMatch(/data: \[DONE\]\n\n$/);
  }
});

it("says that it does not know a session after it was started again, and takes it up by a proof", async () => {
  const { demo, worker, ticket } = await begun();
  await worker.stop();
  const { network, home } = worker;
  const again = await startWorker({ engines: [demo.url], network, home });
  const forgotten = await again.post({ ticket, seq: 1, proof: false });
  expect([forgotten.status, await codeOf(forgotten)]).toEqual([401, "session_unknown"]);
  // The same number, since the first did not come to anything.
  expect((await again.post({ ticket, seq: 1 })).status).toBe(200);
  expect((await again.post({ ticket, seq: 2, proof: false })).status).toBe(200);
});

it("never seals two answers with the same key and number, not even when it was started again", async () => {
  const { demo, worker, ticket } = await begun();
  const sealed = await sealedPost(worker, { ticket }, 1);
  const first = await send(worker, sealed);
  await first.arrayBuffer();
  await worker.stop();
  const { network, home } = worker;
  const again = await startWorker({ engines: [demo.url], network, home });
  // Somebody who listened sends the first one again; it has forgotten all that would tell it so.
  const second = await send(again, await sealedPost(again, { ticket }, 1));
  expect(second.status).toBe(200);
  await second.arrayBuffer();
  expect(second.headers.get(SESSION_HEADER)).not.toBe(first.headers.get(SESSION_HEADER));
});

it("takes no number again under which it has sealed anything, a refusal included", async () => {
  const { worker, ticket } = await begun();
  const refused = await worker.post({ ticket, seq: 4, body: chatBody({ model: "other" }) });
  expect([refused.status, await codeOf(refused)]).toEqual([400, "invalid_request"]);
  expect(await codeOf(await worker.post({ ticket, seq: 4 }))).toBe("proof_invalid");
});

it("seals what it has to say of a request, so that nobody on the way can", async () => {
  const { worker, ticket } = await begun();
  const sealed = await sealedPost(worker, { ticket, target: "/v1/../up" }, 1);
  const answer = await send(worker, sealed);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("troop-refusal")).toBeNull();
  const opened = await sealed.open(answer);
  expect([opened.status, await codeOf(opened)]).toEqual([404, "not_found"]);
});

it("takes no request without the session's tag, whatever else is right", async () => {
  const { worker, ticket } = await begun();
  const { headers, body } = await sealedPost(worker, { ticket, proof: false }, 1);
  const [enc = "", , tag = ""] = (headers[SESSION_HEADER] ?? "").split(".");
  const stranger = directionKey("request", Buffer.alloc(32, 1));
  const marks = [
    formatSessionMark({ enc, seq: 2, tag }),
    formatSessionMark({ enc, seq: 1, tag: callTag(stranger, 1) }),
    `${enc}.1`,
    "",
  ];
  for (const mark of marks) {
    const forged = { headers: { ...headers, [SESSION_HEADER]: mark }, body };
    expect(await codeOf(await send(worker, forged))).toBe("proof_invalid");
  }
  // None of them has used the number up.
  expect((await send(worker, { headers, body })).status).toBe(200);
});

it("takes a session in no other lease, and for no other peer", async () => {
  const { worker, ticket } = await begun();
  const { headers, body } = await sealedPost(worker, { ticket, proof: false }, 1);
  const cnf = { jkt: "x".repeat(43) };
  for (const other of [await worker.ticket(), await worker.ticket({ cnf })]) {
    const stolen = { headers: { ...headers, "troop-ticket": other }, body };
    expect(await codeOf(await send(worker, stolen))).toBe("session_unknown");
  }
});

it.each([
  ["small", chatBody()],
  ["large", chatBody({ padding: "x".repeat(400_000) })],
])("never gives an engine the whole of a %s body that was changed on its way", async (_, body) => {
  const { demo, worker, ticket } = await begun();
  const { headers, body: sealed } = await sealedPost(worker, { ticket, body }, 1);
  const before = demo.journal.entries().length;
  const at = sealed.length - 20;
  sealed[at] = (sealed[at] ?? 0) ^ 1;
  const answer = await send(worker, { headers, body: sealed });
  expect([answer.status, await codeOf(answer)]).toEqual([400, "invalid_request"]);
  const asked = demo.journal.entries().slice(before);
  expect(asked.filter(({ bodyBytes }) => bodyBytes === body.length)).toEqual([]);
});

it.each([
  ["without its last record", (sealed: Buffer) => sealed.subarray(0, -20 - chatBody().length)],
  ["without its last byte", (sealed: Buffer) => sealed.subarray(0, -1)],
  ["of nothing", () => Buffer.alloc(0)],
])("refuses a request %s", async (_, cut) => {
  const { worker, ticket } = await begun();
  const { headers, body } = await sealedPost(worker, { ticket, body: chatBody() }, 1);
  const answer = await send(worker, { headers, body: Buffer.from(cut(body)) });
  expect([answer.status, await codeOf(answer)]).toEqual([400, "invalid_request"]);
});

it("opens a request that comes in the smallest of pieces, chunked", async () => {
  const { worker, ticket } = await begun();
  const sealed = await sealedPost(worker, { ticket, body: chatBody({ stream: false }) }, 1);
  const { hostname, port } = new URL(worker.ready.url);
  const text = await new Promise<string>((resolve) => {
    let got = "";
    const socket = connect(Number(port), hostname, () => {
      const lines = Object.entries({ host: "x", ...sealed.headers, connection: "close" });
      const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
      socket.write(`POST ${SEALED_PATH} HTTP/1.1\r\n${head}transfer-encoding: chunked\r\n\r\n`);
      for (const byte of sealed.body) {
        socket.write(Buffer.concat([Buffer.from("1\r\n"), Buffer.of(byte), Buffer.from("\r\n")]));
      }
      socket.write("0\r\n\r\n");
    });
    socket.on("data", (data) => (got += data.toString("latin1")));
    socket.once("close", () => resolve(got));
  });
  expect(text).toMatch(/^HTTP\/1\.1 200 /);
  expect(text).not.toContain("choices");
  const body = Buffer.from(text.slice(text.indexOf("\r\n\r\n") + 4), "latin1");
  const salt = /^troop-session: (.*)\r$/im.exec(text)?.[1] ?? "";
  const outer = new Response(body, {
    headers: { "content-type": "application/troop-sealed", [SESSION_HEADER]: salt },
  });
  expect(await (await sealed.open(outer)).json()).toHaveProperty("choices");
});

it("takes a number again whose large body was changed on the way, since nothing was sealed under it", async () => {
  const { worker, ticket } = await begun();
  const large = { ticket, body: chatBody({ image: "A".repeat(400_000) }) };
  const { headers, body } = await sealedPost(worker, large, 1);
  const changed = Buffer.from(body);
  changed[changed.length - 100]! ^= 1;
  const refused = await send(worker, { headers, body: changed });
  expect([refused.status, (await refused.json()) as unknown]).toMatchObject([
    400,
    { error: { code: "invalid_request" } },
  ]);
  const again = await sealedPost(worker, large, 1);
  const answer = await send(worker, again);
  expect((await again.open(answer)).status).toBe(200);
});
