import { CLOCK_SKEW_S } from "#protocol/jws";
import { saltedAnswerKey } from "#protocol/e2e-session";
import type { TicketClaims } from "#protocol/ticket";
import { type DirectionKey, directionKey } from "../../e2e/aead";
import type { Clock } from "../../clock";
import type { NodeKey } from "./node-key";

/** A client's session with this node, for the requests of one lease. */
export type NodeSession = {
  readonly requestKey: DirectionKey;
  readonly answerKey: DirectionKey;
  /** What the client needs to make the answers' key, base64url. */
  readonly salt: string;
};

export type Sessions = {
  /** `undefined`: this node does not know it, or no longer; the client has to prove once more who it is. */
  find(enc: string, claims: TicketClaims): NodeSession | undefined;
  /** For a client that has proven who it is; `undefined` where `enc` begins none. */
  open(enc: string, claims: TicketClaims): Promise<NodeSession | undefined>;
  readonly size: number;
};

type Kept = {
  readonly enc: string;
  readonly peerId: string;
  readonly session: NodeSession;
  endsAtS: number;
};

const MOST_KEPT = 4_096;
const SALT_BYTES = 16;
const SWEEP_EVERY_MS = 30_000;

/**
 * The latest session of each lease. None outlives the memory of which numbers its lease has used (`lease-book.ts`): one
 * that did could be made to seal two answers under one nonce.
 */
export function createSessions(
  key: Pick<NodeKey, "accept">,
  nodeId: string,
  clock: Clock,
  mostKept: number = MOST_KEPT,
): Sessions {
  const kept = new Map<string, Kept>();
  let sweptAtMs = clock.steadyMs();

  function sweep(): void {
    if (clock.steadyMs() - sweptAtMs < SWEEP_EVERY_MS) return;
    sweptAtMs = clock.steadyMs();
    const nowS = clock.wallMs() / 1_000;
    for (const [lease, { endsAtS }] of kept) if (nowS > endsAtS) kept.delete(lease);
  }

  function find(enc: string, claims: TicketClaims): NodeSession | undefined {
    const known = kept.get(claims.jti);
    if (known === undefined || known.enc !== enc || known.peerId !== claims.cnf.jkt) {
      return undefined;
    }
    if (clock.wallMs() / 1_000 > known.endsAtS) return undefined;
    known.endsAtS = Math.max(known.endsAtS, endOf(claims));
    return known.session;
  }

  return {
    find,
    async open(enc, claims) {
      sweep();
      const keys = await key.accept(enc, { leaseId: claims.jti, nodeId });
      if (keys === undefined) return undefined;
      const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
      const session = {
        requestKey: directionKey("request", keys.requestKey),
        answerKey: directionKey("answer", await saltedAnswerKey(keys.answerKey, salt)),
        salt: Buffer.from(salt).toString("base64url"),
      };
      // A client's first requests come together; they share what the first of them began.
      const known = find(enc, claims);
      if (known !== undefined) return known;
      kept.delete(claims.jti);
      kept.set(claims.jti, { enc, peerId: claims.cnf.jkt, session, endsAtS: endOf(claims) });
      for (const oldest of kept.keys()) {
        if (kept.size <= mostKept) break;
        kept.delete(oldest);
      }
      return session;
    },
    get size() {
      return kept.size;
    },
  };
}

function endOf({ exp }: TicketClaims): number {
  return exp + CLOCK_SKEW_S;
}
