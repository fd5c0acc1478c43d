import { WAIT_HEADER } from "#protocol/busy";
import type { Candidate } from "#protocol/authorize";
import type { Identity } from "#protocol/identity";
import { nodeAudience, PROOF_HEADER, signProof } from "#protocol/proof";
import {
  formatSessionMark,
  SEALED_PATH,
  SEALED_TYPE,
  SESSION_HEADER,
} from "#protocol/sealed-message";
import { TICKET_HEADER } from "#protocol/ticket";
import { callTag } from "../../e2e/aead";
import type { Answer } from "../../http/answer";
import { callHttp, type HttpCall } from "../../http/call";
import { REFUSAL_HEADER } from "../../http/refusal-header";
import { isOpenRefusal, openRefusal } from "./open-refusal";
import { openAnswer } from "./opened-answer";
import type { NodeSession } from "./node-session";
import { sealBody, type SealedRequest } from "./sealed-body";

export type NodeAnswer = {
  readonly answer: Answer;
  /** The code of the node's own refusal; `undefined` where its engine speaks. */
  readonly refusal: string | undefined;
};

export type SealedCall = {
  /** `undefined`: the node cannot be reached, or what came is none of its answers. */
  readonly answer: Promise<NodeAnswer | undefined>;
  /** Ends it at once. */
  cut(): void;
};

export type SealedCallDeps = { readonly identity: Identity; readonly nowMs: () => number };

export type NodeAddress = {
  readonly node: Candidate;
  readonly url: string;
  readonly session: NodeSession;
  readonly ticket: string;
  readonly seq: number;
  /** Milliseconds that connecting may take. */
  readonly connectWithinMs: number;
  /** Milliseconds for which the request would wait for a place; 0: it has somewhere else to go. */
  readonly waitMs: number;
};

/**
 * Sends a sealed request. Until the node has answered in this session a proof comes along; one that has forgotten the
 * session is sent the same request once more, with a proof.
 */
export async function callSealed(
  { identity, nowMs }: SealedCallDeps,
  { node, url, session, ticket, seq, connectWithinMs, waitMs }: NodeAddress,
  request: SealedRequest,
): Promise<SealedCall> {
  const { enc, encHash: bodyHash, requestKey } = session;
  const { length, ...body } = sealBody(requestKey, seq, request);
  const headers = {
    "content-type": SEALED_TYPE,
    "content-length": length,
    [TICKET_HEADER]: ticket,
    [SESSION_HEADER]: formatSessionMark({ enc, seq, tag: callTag(requestKey, seq) }),
    ...(waitMs > 0 && { [WAIT_HEADER]: String(waitMs) }),
  };
  const audience = nodeAudience(node.node_id);
  const proven = { audience, method: "POST", target: SEALED_PATH, bodyHash, seq };
  let isCut = false;

  async function send(isKnown: boolean): Promise<HttpCall> {
    const proof = isKnown
      ? {}
      : { [PROOF_HEADER]: await signProof(identity, proven, crypto.randomUUID(), nowMs()) };
    const sent = { length, ...body };
    const post = { url: url + SEALED_PATH, headers: { ...headers, ...proof }, body: sent };
    return callHttp({ ...post, connectWithinMs });
  }
  async function answerTo(call: HttpCall): Promise<NodeAnswer | undefined> {
    const came = await call.answer;
    return came.ok ? opened(came.value, session, seq) : undefined;
  }

  const wasKnown = session.isKnown;
  let call = await send(wasKnown);
  async function answered(): Promise<NodeAnswer | undefined> {
    const answer = await answerTo(call);
    if (!wasKnown || answer?.refusal !== "session_unknown") return answer;
    session.isKnown = false;
    call = await send(false);
    if (isCut) call.cut();
    return answerTo(call);
  }
  return {
    answer: answered(),
    cut() {
      isCut = true;
      call.cut();
    },
  };
}

async function opened(
  outer: Answer,
  session: NodeSession,
  seq: number,
): Promise<NodeAnswer | undefined> {
  const code = outer.header(REFUSAL_HEADER);
  if (code !== undefined) {
    // Whatever it says, nobody reads it; where it is at hand, the connection can be used again.
    await outer.hasBegun();
    if (outer.takeWhole() === undefined) outer.cut();
    return isOpenRefusal(code) ? { answer: openRefusal(code, outer), refusal: code } : undefined;
  }
  const salt = outer.header(SESSION_HEADER);
  if (outer.header("content-type") !== SEALED_TYPE || salt === undefined) {
    outer.cut();
    return undefined;
  }
  const answer = await openAnswer(outer, await session.answerKey(salt), seq);
  if (answer === undefined) return undefined;
  session.isKnown = true;
  return { answer, refusal: answer.header(REFUSAL_HEADER) };
}
