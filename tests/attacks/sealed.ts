import { callTag, type Direction, type DirectionKey, directionKey } from "#peer/e2e/aead";
import { createMessageSealer } from "#peer/e2e/message-sealer";
import { openSession } from "#protocol/e2e-session";
import {
  formatSessionMark,
  SEALED_PATH,
  SEALED_TYPE,
  sealedHead,
  SESSION_HEADER,
} from "#protocol/sealed-message";
import { openResponse } from "../peer/e2e/sealed-exchange";
import { send } from "./attack";
import type { Target } from "./target";
import { client, goodTicket } from "./tickets";
import { type Good, goodProof, type Json, sign } from "./tokens";
import { sha256, type VectorKey } from "#support/vector-keys";

/** A client's session with the node, and the ticket that it rests on. */
export type Session = {
  readonly ticket: string;
  readonly lease: string;
  readonly enc: string;
  readonly requestKey: DirectionKey;
  readonly answerKey: Uint8Array<ArrayBuffer>;
};

/** What is sent in it; whatever a row wants to be wrong. */
export type Sent = {
  readonly seq?: number;
  /** The number in the header, where it is another. */
  readonly markSeq?: number;
  readonly mark?: string;
  readonly body?: string;
  readonly head?: Json;
  /** What becomes of the message on its way: its records, each as it travels. */
  readonly bend?: (records: Buffer[], key: DirectionKey) => Uint8Array;
  readonly direction?: Direction;
  readonly proof?: ((t: Target, session: Session, seq: number) => string) | undefined;
  readonly headers?: Record<string, string>;
  readonly path?: string;
  readonly method?: string;
};

let last = 0;

export async function newSession(
  t: Target,
  ticket: Good = goodTicket(t, { model: t.model }),
  nodeKey: string = t.nodeKey,
): Promise<Session> {
  const lease = String(ticket.claims["jti"]);
  const opened = await openSession(nodeKey, { leaseId: lease, nodeId: t.nodeId });
  if (opened === undefined) throw new Error("The node's key is none.");
  const { enc, requestKey, answerKey } = opened;
  t.secrets.add(Buffer.from(requestKey).toString("base64url"));
  return {
    ticket: sign(ticket),
    lease,
    enc,
    requestKey: directionKey("request", requestKey),
    answerKey,
  };
}

/** A proof for a session's first request, as a client makes it. */
export function provenSession(
  t: Target,
  { enc }: Pick<Session, "enc">,
  seq: number,
  claims: Json = {},
  key: VectorKey = client,
): Good {
  const audience = `troop:${t.nodeId}`;
  return goodProof(
    key,
    { audience, method: "POST", target: SEALED_PATH },
    { seq, bh: sha256(Buffer.from(enc, "base64url")), ...claims },
  );
}

export const chat = (t: Target, more: Json = {}): string =>
  JSON.stringify({
    model: t.model,
    messages: [{ role: "user", content: `secret-${crypto.randomUUID()}` }],
    ...more,
  });

/** Sends a request as a client does, but for what the row changes, and opens what comes back. */
export async function ask(t: Target, session: Session, sent: Sent = {}): Promise<Response> {
  last += 1;
  const { seq = last, body = chat(t), bend = (all) => Buffer.concat(all), direction } = sent;
  const marker = /secret-[0-9a-f-]{36}/.exec(body)?.[0];
  if (marker !== undefined) t.secrets.add(marker);
  const key =
    direction === undefined
      ? session.requestKey
      : { ...session.requestKey, about: Buffer.from(direction) };
  const bytes = Buffer.from(body);
  const head = sealedHead({
    target: "/v1/chat/completions",
    headers: [["content-type", "application/json"]],
    length: bytes.length,
    hash: sha256(bytes),
    ...sent.head,
  });
  const sealer = createMessageSealer(key, seq);
  const half = Math.ceil(bytes.length / 2);
  const records = [
    sealer.head(head),
    sealer.part(bytes.subarray(0, half)),
    sealer.last(bytes.subarray(half)),
  ].map((record) => Buffer.from(record));
  const markSeq = sent.markSeq ?? seq;
  const tag = callTag(session.requestKey, markSeq);
  const mark = sent.mark ?? formatSessionMark({ enc: session.enc, seq: markSeq, tag });
  const proof =
    "proof" in sent ? sent.proof?.(t, session, markSeq) : sign(provenSession(t, session, markSeq));
  const answer = await send(t, t.node + (sent.path ?? SEALED_PATH), {
    method: sent.method ?? "POST",
    headers: {
      "content-type": SEALED_TYPE,
      "troop-ticket": session.ticket,
      [SESSION_HEADER]: mark,
      ...(proof !== undefined && { "troop-proof": proof }),
      ...sent.headers,
    },
    ...(sent.method !== "GET" && { body: Uint8Array.from(bend(records, session.requestKey)) }),
  });
  return openResponse(answer, session.answerKey, seq);
}
