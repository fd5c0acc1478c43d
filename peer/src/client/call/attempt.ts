import type { Identity } from "#protocol/identity";
import type { EngineKind } from "#protocol/model-offer";
import type { Answer } from "../../http/answer";
import type { AckBook, Moment, OpenAck, SeenEnd } from "../acks/ack-book";
import { type AskedUsage, countsWhenAsked } from "../answer/asked-usage";
import { keyOfName } from "../nodes/conversation-key";
import type { Place } from "../leases/lease";
import { dialledUrl } from "./node-call";
import { nodeHeaders } from "./node-headers";
import type { NodeOrder } from "../nodes/node-order";
import { type NodeSession, sessionWith } from "./node-session";
import { callSealed, type SealedCall } from "./sealed-call";
import { unreadEnd } from "../acks/seen-end";
import type { SilenceWatch } from "../nodes/silence";

export type AppRequest = {
  readonly model: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Headers;
  readonly body: Buffer<ArrayBuffer>;
  /** SHA-256 of the body, base64url. */
  readonly bodyHash: string;
  /** The app has gone. */
  readonly signal: AbortSignal;
  readonly requestId: string;
  /** When it came, by the steady clock. */
  readonly startedAtMs: number;
  /** What follows is known once it goes to the network. The answer is to be a stream of events. */
  wantsEvents?: boolean;
  /** Such a one with a question for the tokens that it takes, where the app did not ask; for engines that count then. */
  withUsage?: (() => AskedUsage | undefined) | undefined;
  /** Its turns have this number in common. */
  conversation?: number | undefined;
};

export type DialDeps = {
  readonly identity: Identity;
  /** CIDR ranges that may be dialled. */
  readonly allowedRanges: () => readonly string[];
  readonly nowMs: () => number;
};
export type AttemptDeps = DialDeps & {
  readonly acks: AckBook;
  readonly order: NodeOrder;
  readonly silence: SilenceWatch;
};

export type Answered = {
  /** A node's id, or `local`. */
  readonly nodeId: string;
  readonly engine: EngineKind;
  readonly answer: Answer;
  /** The code of the node's own refusal; `undefined` where its engine speaks. */
  readonly refusal: string | undefined;
  /** What the node was shown; `undefined`: it needs none. */
  readonly ticket: string | undefined;
  /** Microcredits a second that it costs. */
  readonly rate: number;
  /** When it was sent, and when what the app gets first had come, by the steady clock. */
  readonly sentAtMs: number;
  readonly firstAtMs: number;
  /** The count of tokens in its stream was this client's question, not the app's. */
  readonly hidesUsage: boolean;
  /** Cuts the connection. */
  readonly cut: SealedCall["cut"];
  /** More of the body has come. */
  readonly heard: () => void;
  /** The body broke off, and the app was still there. */
  readonly broke: () => void;
  /** Who goes on from the answer of this name has to come back here. */
  readonly keptAs: (name: string) => void;
  /** To be ended by who reads the body; else it ends with `end`. */
  readonly ack: OpenAck;
  /** Everything has passed, or nothing more will. */
  readonly end: () => void;
};

/**
 * Sends the request to one node. Resolves when content has begun to come; `undefined` where none came: the node may not
 * be dialled, has no key that is its own, does not answer, or broke off before the first byte. `waitMs`: for how long it
 * may wait for a place where the node has none.
 */
export async function attempt(
  deps: AttemptDeps,
  request: AppRequest,
  place: Place,
  waitMs: number = 0,
): Promise<Answered | undefined> {
  const { acks, order, silence, allowedRanges } = deps;
  const { lease, node } = place;
  const { conversation, signal } = request;
  const url = dialledUrl(node, allowedRanges());
  if (url === undefined) return undefined;
  // Before anything is waited for: other requests that choose a node meanwhile shall know.
  const ended = order.begun(node.node_id, conversation);
  const rate = node.own ? 0 : node.rate;
  const taken = lease.take(rate);
  const endOfLease = taken instanceof Promise ? await taken : taken;
  let sent: Sent | undefined;
  let call: SealedCall | undefined;
  try {
    const known = sessionWith(lease, node, deps.nowMs());
    const session = known instanceof Promise ? await known : known;
    if (session !== undefined && !signal.aborted) {
      sent = send(deps, request, { place, url, waitMs, session });
      call = sent.call instanceof Promise ? await sent.call : sent.call;
    }
  } finally {
    if (call === undefined) {
      endOfLease();
      ended();
    }
  }
  if (sent === undefined || call === undefined) return undefined;
  const { cut } = call;
  const { ticket, seq, since, bodyHash, hidesUsage } = sent;
  const about = { ticket, lease: lease.id, seq, node: node.node_id, request_hash: bodyHash };
  const ack = acks.begin(about, since);
  const exchange = silence.begin(url, cut);
  const endWith = (seen: SeenEnd): void => {
    endOfLease();
    ended();
    exchange.end();
    ack.end(seen);
  };
  // Stays there, since a cut after the end cuts nothing: the signal is this request's alone, and goes with it.
  signal.addEventListener("abort", cut);
  // It may have gone while the proof was being signed; then nobody would tell.
  if (signal.aborted) cut();

  const answered = await call.answer;
  const began = answered?.answer.hasBegun() ?? false;
  if (answered === undefined || !(began instanceof Promise ? await began : began)) {
    cut();
    endWith({ outcome: signal.aborted ? "cancelled" : "engine_error" });
    return undefined;
  }
  ack.firstByte();
  exchange.heard();
  const { answer, refusal } = answered;
  return {
    nodeId: node.node_id,
    engine: node.engine,
    answer,
    refusal,
    ticket,
    rate,
    sentAtMs: since.steadyMs,
    firstAtMs: acks.steadyMs(),
    hidesUsage,
    cut,
    heard: exchange.heard,
    broke: () => order.failed(node.node_id),
    keptAs: (name) => order.pin(keyOfName(request.model, name), node.node_id),
    ack,
    end: () => endWith(unreadEnd({ status: answer.status, refusal })),
  };
}

type Way = {
  readonly place: Place;
  readonly url: string;
  readonly waitMs: number;
  readonly session: NodeSession;
};

type Sent = {
  readonly call: SealedCall | Promise<SealedCall>;
  readonly ticket: string;
  readonly seq: number;
  /** Just before. */
  readonly since: Moment;
  /** Of the body that was sent. */
  readonly bodyHash: string;
  readonly hidesUsage: boolean;
};

function send(
  deps: AttemptDeps,
  request: AppRequest,
  { place: { lease, node }, url, waitMs, session }: Way,
): Sent {
  const { target, headers } = request;
  const asked = countsWhenAsked(node.engine, target) ? request.withUsage?.() : undefined;
  const { body, bodyHash } = asked ?? request;
  const seq = lease.nextSeq();
  const ticket = lease.ticket();
  const since = deps.acks.now();
  const connectWithinMs = deps.order.connectWithinMs(node.node_id);
  const call = callSealed(
    deps,
    { node, url, session, ticket, seq, connectWithinMs, waitMs },
    { target, headers: nodeHeaders(headers), body, bodyHash },
  );
  return { call, ticket, seq, since, bodyHash, hidesUsage: asked !== undefined };
}
