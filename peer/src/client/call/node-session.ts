import { createHash } from "node:crypto";
import type { Candidate } from "#protocol/authorize";
import { verifyE2eKey } from "#protocol/e2e-key";
import { openSession, saltedAnswerKey } from "#protocol/e2e-session";
import { type DirectionKey, directionKey } from "../../e2e/aead";
import type { Lease } from "../leases/lease";

/** This client's session with a node, for the requests of one lease. */
export type NodeSession = {
  /** Its name, which begins it. */
  readonly enc: string;
  /** SHA-256 of `enc`: what a proof says of a sealed request. */
  readonly encHash: string;
  readonly requestKey: DirectionKey;
  /** The node has answered under it, so it needs no proof. */
  isKnown: boolean;
  /** The key of an answer with this salt, base64url. */
  answerKey(salt: string): DirectionKey | Promise<DirectionKey>;
};

/** `undefined` where the node has shown no key of its own, so must not be used. */
type Session = NodeSession | undefined;
type OfLease = Map<string, Session | Promise<Session>>;

const sessions = new WeakMap<Lease, OfLease>();

/** The same one for all requests of a lease, at once when it has begun. */
export function sessionWith(
  lease: Lease,
  node: Candidate,
  nowMs: number,
): Session | Promise<Session> {
  let ofLease = sessions.get(lease);
  if (ofLease === undefined) {
    ofLease = new Map();
    sessions.set(lease, ofLease);
  }
  return ofLease.get(node.node_id) ?? beginning(ofLease, lease, node, nowMs);
}

function beginning(
  ofLease: OfLease,
  lease: Lease,
  node: Candidate,
  nowMs: number,
): Promise<Session> {
  const begun = begin(lease.id, node, nowMs).then((session) => {
    if (session !== undefined) ofLease.set(node.node_id, session);
    return session;
  });
  ofLease.set(node.node_id, begun);
  return begun;
}

async function begin(
  leaseId: string,
  { node_id: nodeId, e2e_key }: Candidate,
  nowMs: number,
): Promise<Session> {
  // By the node's own signature: a coordinator that named another key would read along.
  const verified = await verifyE2eKey(e2e_key, nodeId, nowMs);
  if (!verified.ok) return undefined;
  const opened = await openSession(verified.value.x, { leaseId, nodeId });
  if (opened === undefined) return undefined;
  const { enc, requestKey, answerKey } = opened;
  let latest: { readonly salt: string; readonly key: DirectionKey } | undefined;

  async function salted(salt: string): Promise<DirectionKey> {
    const bytes = new Uint8Array(Buffer.from(salt, "base64url"));
    const key = directionKey("answer", await saltedAnswerKey(answerKey, bytes));
    latest = { salt, key };
    return key;
  }
  return {
    enc,
    encHash: createHash("sha256").update(Buffer.from(enc, "base64url")).digest("base64url"),
    requestKey: directionKey("request", requestKey),
    isKnown: false,
    answerKey: (salt) => (latest?.salt === salt ? latest.key : salted(salt)),
  };
}
