import { onTestFinished } from "vitest";
import {
  generatePrivateKey,
  importPublicKey,
  type Identity,
  openIdentity,
} from "#protocol/identity";
import { hashBody, nodeAudience, PROOF_HEADER, verifyProof } from "#protocol/proof";
import { TICKET_HEADER, type TicketClaims, TICKETS_PATH, verifyTicket } from "#protocol/ticket";
import { type SigningKey, type Watched, watched } from "../worker/fake-network";

/** A request whose ticket and proof were right. */
export type NodeRequest = {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly leaseId: string;
  readonly seq: number;
  /** The client has gone. */
  readonly left: AbortSignal;
};
export type Behaviour = (request: NodeRequest) => Response | Promise<Response>;

export type FakeNode = {
  readonly id: string;
  readonly url: string;
  readonly seen: Watched<NodeRequest>;
  /** Tickets that came by themselves, for a lease with something running. */
  readonly tickets: Watched<TicketClaims>;
  answer: Behaviour;
  /** Resets every connection and frees the port. */
  stop(): Promise<void>;
};

/** A node made of the protocol's own checks; what they let in is answered as the test says. */
export async function fakeNode(
  { key, issuer }: { readonly key: SigningKey; readonly issuer: string },
  answer: Behaviour = () => Response.json({ from: "node" }),
): Promise<FakeNode> {
  const identity: Identity = await openIdentity(await generatePrivateKey());
  const id = identity.peerId;
  const seen = watched<NodeRequest>();
  const tickets = watched<TicketClaims>();
  const spent = new Set<string>();
  const verifyingKey = await importPublicKey(key.publicKey);

  async function serve(request: Request): Promise<Response> {
    const target = request.url.slice(request.url.indexOf("/", "http://".length));
    const body = new Uint8Array(await request.arrayBuffer());
    const nowMs = Date.now();
    const ticket = await verifyTicket(request.headers.get(TICKET_HEADER) ?? "", verifyingKey, {
      issuer,
      nodeId: id,
      nowMs,
    });
    if (!ticket.ok) return refusal(401, "ticket_invalid");
    const proof = await verifyProof(
      request.headers.get(PROOF_HEADER) ?? "",
      {
        audience: nodeAudience(id),
        method: request.method,
        target,
        bodyHash: await hashBody(body),
      },
      nowMs,
    );
    if (!proof.ok) return refusal(401, "proof_invalid");
    const { iss, jti, seq } = proof.value;
    const place = `${ticket.value.jti}/${seq}`;
    if (iss !== ticket.value.cnf.jkt || spent.has(jti) || spent.has(place) || seq === undefined) {
      return refusal(401, "proof_invalid");
    }
    spent.add(jti).add(place);
    if (target === TICKETS_PATH) {
      tickets.push(ticket.value);
      return new Response(null, { status: 204 });
    }
    const { method, headers, signal: left } = request;
    const known = { method, target, headers, body, leaseId: ticket.value.jti, seq, left };
    seen.push(known);
    return node.answer(known);
  }

  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    maxRequestBodySize: 1e9,
    fetch: serve,
  });
  const node: FakeNode = {
    id,
    url: `http://127.0.0.1:${server.port}`,
    seen,
    tickets,
    answer,
    stop: () => server.stop(true),
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

export function openStream(contentType: string = "text/event-stream"): OpenStream {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given;
    },
  });
  return {
    response: new Response(body, { headers: { "content-type": contentType } }),
    write: (text) => controller?.enqueue(Buffer.from(text)),
    end: () => controller?.close(),
    reset: () => controller?.error(null),
  };
}
