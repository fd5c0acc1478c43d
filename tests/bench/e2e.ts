import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { callTag, directionKey, isCallTag } from "#peer/e2e/aead";
import { createMessageOpener } from "#peer/e2e/message-opener";
import { createMessageSealer, sealMessage } from "#peer/e2e/message-sealer";
import { sealBody } from "#peer/client/call/sealed-body";
import { loadIdentity } from "#peer/home/identity-file";
import { createProofVerifier } from "#peer/worker/admission/proof-verifier";
import { createSessionAcceptor, generateE2eKey, openSession } from "#protocol/e2e-session";
import { sealedHead } from "#protocol/sealed-message";
import { EMPTY_BODY_HASH, signProof } from "#protocol/proof";
import { RECORD_BYTES } from "#protocol/sealed-record";
import type { Figure, Part } from "./part";
import type { Scope } from "./scope";
import { median } from "./stats";

export const e2e: Part = {
  name: "e2e",
  summary: "what sealing costs: bytes a second on one core, a request, and a session",
  run,
};

const KEY = directionKey("answer", Buffer.alloc(32, 1));
const REQUEST_KEY = directionKey("request", Buffer.alloc(32, 2));
const ROUNDS = 9;
const BYTES_A_ROUND = 64 * 1_024 * 1_024;
/** What an engine's event for one token has, and what a socket gives at once. */
const TOKEN_BYTES = 256;
const AT_A_TIME = 8;
const REQUESTS_A_ROUND = 2_000;
const SESSIONS_A_ROUND = 50;
const HEADERS: [string, string][] = [
  ["accept", "*/*"],
  ["content-type", "application/json"],
  ["user-agent", "OpenAI/JS 7"],
];
const ANSWER_HEADERS: [string, string][] = [
  ["content-type", "application/json"],
  ["date", "Fri, 20 Nov 2026 12:00:00 GMT"],
];

async function run(scope: Scope): Promise<Figure[]> {
  const large = rates(RECORD_BYTES, BYTES_A_ROUND);
  const small = rates(TOKEN_BYTES, BYTES_A_ROUND / 64);
  const sealedUs = request();
  const proofUs = await proof(scope);
  return [
    {
      name: "answers sealed, records of 64 KiB, one core",
      unit: "MB/s",
      measured: large.seal,
      target: { atLeast: 500 },
    },
    {
      name: "answers opened, records of 64 KiB, one core",
      unit: "MB/s",
      measured: large.open,
      target: { atLeast: 500 },
    },
    { name: `… sealed, ${TOKEN_BYTES} bytes a token`, unit: "µs a token", measured: small.sealUs },
    { name: `… opened, ${TOKEN_BYTES} bytes a token`, unit: "µs a token", measured: small.openUs },
    {
      name: "a request of 600 and an answer of 2,000 bytes, sealed and opened, all four together",
      unit: "µs",
      measured: sealedUs,
      target: { atMost: 300 },
      note: `a proof for each request took ${proofUs.toFixed(0)} µs to sign and verify; there is one a session now`,
    },
    {
      name: "a session, begun and taken up, once for each lease and node",
      unit: "ms",
      measured: await session(),
    },
  ];
}

/** A long answer in pieces of so many bytes: sealed by the node, opened by the client. */
function rates(pieceBytes: number, bytes: number) {
  const piece = new Uint8Array(pieceBytes).fill(7);
  const pieces = Math.round(bytes / pieceBytes);
  const head = sealedHead({ status: 200, headers: [] });
  const sealMs: number[] = [];
  const openMs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const sealer = createMessageSealer(KEY, round);
    let opened = 0;
    const opener = createMessageOpener(KEY, round, {
      onHead: () => true,
      onBody: ({ length }) => {
        opened += length;
      },
    });
    opener.push(sealer.head(head));
    let [sealing, opening] = [0, 0];
    // A few at a time, as they would be in memory.
    for (let done = 0; done < pieces; done += AT_A_TIME) {
      const startMs = performance.now();
      const sealed = Array.from({ length: AT_A_TIME }, () => sealer.part(piece));
      const openStartMs = performance.now();
      for (const part of sealed) opener.push(part);
      sealing += openStartMs - startMs;
      opening += performance.now() - openStartMs;
    }
    opener.push(sealer.last());
    sealMs.push(sealing);
    openMs.push(opening);
    if (!opener.isWhole || opened !== pieces * pieceBytes) throw new Error("It did not open.");
  }
  const [seal, open] = [median(sealMs), median(openMs)];
  return {
    seal: bytes / 1_000 / seal,
    open: bytes / 1_000 / open,
    sealUs: (seal * 1_000) / pieces,
    openUs: (open * 1_000) / pieces,
  };
}

/** Microseconds of one request and its answer, on both sides. */
function request(): number {
  const asked = {
    target: "/v1/chat/completions",
    headers: HEADERS,
    body: new Uint8Array(600),
    bodyHash: EMPTY_BODY_HASH,
  };
  const answer = new Uint8Array(2_000);
  const head = sealedHead({ status: 200, headers: ANSWER_HEADERS, length: answer.length });
  return perRound(REQUESTS_A_ROUND, (seq) => {
    const tag = callTag(REQUEST_KEY, seq);
    const body = sealBody(REQUEST_KEY, seq, asked);
    if (body.kind !== "whole" || !isCallTag(REQUEST_KEY, seq, tag)) throw new Error("Not sealed.");
    const events = { onHead: () => true, onBody: () => {} };
    const asks = createMessageOpener(REQUEST_KEY, seq, events);
    const answers = createMessageOpener(KEY, seq, events);
    asks.push(new Uint8Array(body.bytes));
    answers.push(sealMessage(KEY, seq, head, answer));
    if (!asks.isWhole || !answers.isWhole) throw new Error("It did not open.");
  });
}

/** Microseconds that a proof took which each request carried before there were sessions. */
async function proof(scope: Scope): Promise<number> {
  const folder = await scope.hold(
    () => mkdtemp(join(tmpdir(), "troop-bench-")),
    (made) => rm(made, { recursive: true }),
  );
  const identity = await loadIdentity(folder);
  const verify = createProofVerifier();
  const about = { audience: "troop:node", method: "POST", target: "/v1/chat/completions" };
  const took: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const nowMs = Date.now();
    const startMs = performance.now();
    for (let seq = 0; seq < REQUESTS_A_ROUND; seq += 1) {
      const shown = { ...about, bodyHash: EMPTY_BODY_HASH, seq };
      const signed = await signProof(identity, shown, crypto.randomUUID(), nowMs);
      const verified = await verify(signed, about, nowMs);
      if (!verified.ok) throw new Error("The proof is not good.");
    }
    took.push(((performance.now() - startMs) * 1_000) / REQUESTS_A_ROUND);
  }
  return median(took);
}

async function session(): Promise<number> {
  const key = await generateE2eKey();
  const accept = await createSessionAcceptor(key);
  const scope = { leaseId: "lease", nodeId: "node" };
  const took: number[] = [];
  for (let each = 0; each < SESSIONS_A_ROUND; each += 1) {
    const startMs = performance.now();
    const begun = await openSession(key.x, scope);
    const taken = begun && (await accept(begun.enc, scope));
    if (taken === undefined) throw new Error("No session.");
    took.push(performance.now() - startMs);
  }
  return median(took);
}

function perRound(times: number, run: (each: number) => void): number {
  const took: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const startMs = performance.now();
    for (let each = 0; each < times; each += 1) run(round * times + each);
    took.push(((performance.now() - startMs) * 1_000) / times);
  }
  return median(took);
}
