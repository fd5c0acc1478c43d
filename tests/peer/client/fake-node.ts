import { onTestFinished } from "vitest";
import { isOpenRefusal } from "#peer/client/call/open-refusal";
import { type DirectionKey, directionKey, isCallTag } from "#peer/e2e/aead";
import { signE2eKey } from "#protocol/e2e-key";
import { createSessionAcceptor, generateE2eKey } from "#protocol/e2e-session";
import {
  generatePrivateKey,
  importPublicKey,
  type Identity,
  openIdentity,
} from "#protocol/identity";
import {
  EMPTY_BODY_HASH,
  hashBody,
  nodeAudience,
  PROOF_HEADER,
  verifyProof,
} from "#protocol/proof";
import { parseSessionMark, SEALED_PATH, SESSION_HEADER } from "#protocol/sealed-message";
import { TICKET_HEADER, type TicketClaims, TICKETS_PATH, verifyTicket } from "#protocol/ticket";
import { freePort } from "#support/free-port";
import { answerKeyOf, openRequest, sealResponse } from "../e2e/sealed-exchange";
import { type SigningKey, type Watched, watched } from "../worker/fake-network";

/** What was inside of a request whose ticket, session and proof were right. */
export type NodeRequest = {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly leaseId: string;
  readonly seq: number;
  /** For how long it would wait for a place. */
  readonly waitMs: number;
  /** The client has gone. */
  readonly left: AbortSignal;
};
export type Behaviour = (request: NodeRequest) => Response | Promise<Response>;

export type FakeNode = {
  readonly id: string;
  readonly identity: Identity;
  readonly url: string;
  /** Its certified key. */
  readonly e2eKey: string;
  readonly seen: Watched<NodeRequest>;
  /** Tickets that came by themselves, for a lease with something running. */
  readonly tickets: Watched<TicketClaims>;
  answer: Behaviour;
  /** As if it had been started again. */
  forgetSessions(): void;
  /** Resets every connection and frees the port. */
  stop(): Promise<void>;
  /** Listens again where it did, or at a free port, and knows no session; the URL. */
  startAgain(where?: "elsewhere"): string;
};

/** A node made of the protocol's own checks; what they let in is answered as the test says. */
export async function fakeNode(
  { key, issuer }: { readonly key: Pick<SigningKey, "publicKey">; readonly issuer: string },
  answer: Behaviour = () => Response.json({ from: "node" }),
): Promise<FakeNode> {
  const identity: Identity = await openIdentity(await generatePrivateKey());
  const id = identity.peerId;
  const privateKey = await generateE2eKey();
  const e2eKey = await signE2eKey(identity, privateKey.x, Date.now());
  const seen = watched<NodeRequest>();
  const tickets = watched<TicketClaims>();
  const spent = new Set<string>();
  const accept = await createSessionAcceptor(privateKey);
  const sessions = new Map<
    string,
    { readonly requestKey: DirectionKey; readonly answer: { key: DirectionKey; salt: string } }
  >();
  const verifyingKey = await importPublicKey(key.publicKey);

  async function serve(request: Request): Promise<Response> {
    const target = request.url.slice(request.url.indexOf("/", "http://".length));
    const sealed = new Uint8Array(await request.arrayBuffer());
    const nowMs = Date.now();
    const ticket = await verifyTicket(request.headers.get(TICKET_HEADER) ?? "", verifyingKey, {
      issuer,
      nodeId: id,
      nowMs,
    });
    if (!ticket.ok) return refusal(401, "ticket_invalid");
    const { jti: leaseId, cnf } = ticket.value;
    async function prove(bodyHash: string): Promise<number | undefined> {
      const asked = { audience: nodeAudience(id), method: "POST", target, bodyHash };
      const proof = await verifyProof(request.headers.get(PROOF_HEADER) ?? "", asked, nowMs);
      if (!proof.ok || proof.value.iss !== cnf.jkt || spent.has(proof.value.jti)) return undefined;
      spent.add(proof.value.jti);
      return proof.value.seq;
    }
    if (target === TICKETS_PATH) {
      if ((await prove(EMPTY_BODY_HASH)) === undefined) return refusal(401, "proof_invalid");
      tickets.push(ticket.value);
      return new Response(null, { status: 204 });
    }
    const mark = parseSessionMark(request.headers.get(SESSION_HEADER) ?? "");
    if (target !== SEALED_PATH || mark === undefined) return refusal(404, "not_found");
    const { enc, seq, tag } = mark;
    let session = sessions.get(`${leaseId} ${enc}`);
    if (session === undefined) {
      if (!request.headers.has(PROOF_HEADER)) return refusal(401, "session_unknown");
      const encHash = await hashBody(new Uint8Array(Buffer.from(enc, "base64url")));
      const keys = await accept(enc, { leaseId, nodeId: id });
      if ((await prove(encHash)) !== seq || keys === undefined) {
        return refusal(401, "proof_invalid");
      }
      const salt = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64url");
      session = {
        requestKey: directionKey("request", keys.requestKey),
        answer: { key: await answerKeyOf(keys.answerKey, salt), salt },
      };
      sessions.set(`${leaseId} ${enc}`, session);
    }
    if (!isCallTag(session.requestKey, seq, tag)) return refusal(401, "proof_invalid");
    const place = `${leaseId}/${seq}`;
    if (spent.has(place)) return refusal(401, "proof_invalid");
    spent.add(place);
    const { head, body } = openRequest(sealed, session.requestKey, seq);
    const { method, signal: left } = request;
    const headers = new Headers(head.headers);
    const waitMs = Number(request.headers.get("troop-wait-ms") ?? 0);
    const known = { method, target: head.target, headers, body, leaseId, seq, waitMs, left };
    seen.push(known);
    const said = await node.answer(known);
    // What a node says before it looks into a request.
    if (isOpenRefusal(said.headers.get("troop-refusal") ?? "")) return said;
    const isStream = said.body !== null && openStreams.has(said.body);
    return sealResponse(said, { ...session.answer, seq }, isStream);
  }

  const listen = (port: number) =>
    Bun.serve({
      port,
      hostname: "127.0.0.1",
      idleTimeout: 0,
      maxRequestBodySize: 1e9,
      fetch: serve,
    });
  const port = await freePort();
  let server = listen(port);
  const node: FakeNode = {
    id,
    identity,
    url: `http://127.0.0.1:${port}`,
    e2eKey,
    seen,
    tickets,
    answer,
    forgetSessions: () => sessions.clear(),
    stop: () => server.stop(true),
    startAgain(where) {
      sessions.clear();
      server = listen(where === "elsewhere" ? 0 : port);
      return `http://127.0.0.1:${server.port}`;
    },
  };
  onTestFinished(() => server.stop(true));
  return node;
}

/** A refusal of the node's own, as the worker marks it. */
export function refusal(
  status: number,
  code: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json(
    { error: { message: code, type: "server_error", param: null, code } },
    { status, headers: { "troop-refusal": code, ...headers } },
  );
}

/** An event stream that the test writes piece by piece. */
export type OpenStream = {
  readonly response: Response;
  write(text: string): void;
  end(): void;
  /** Breaks the connection. */
  reset(): void;
};

const openStreams = new WeakSet<ReadableStream>();

export function openStream(contentType: string = "text/event-stream"): OpenStream {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given;
    },
  });
  openStreams.add(body);
  return {
    response: new Response(body, { headers: { "content-type": contentType } }),
    write: (text) => controller?.enqueue(Buffer.from(text)),
    end: () => controller?.close(),
    reset: () => controller?.error(null),
  };
}
