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
import type { OutgoingHeaders } from "../../http/request-head";
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
  readonly cut: () => void;
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
export function callSealed(
  { identity, nowMs }: SealedCallDeps,
  { node, url, session, ticket, seq, connectWithinMs, waitMs }: NodeAddress,
  request: SealedRequest,
): SealedCall | Promise<SealedCall> {
  const { enc, encHash: bodyHash, requestKey } = session;
  const body = sealBody(requestKey, seq, request);
  const headers: OutgoingHeaders = {
    "content-type": SEALED_TYPE,
    "content-length": body.length,
    [TICKET_HEADER]: ticket,
    [SESSION_HEADER]: formatSessionMark({ enc, seq, tag: callTag(requestKey, seq) }),
  };
  if (waitMs > 0) headers[WAIT_HEADER] = String(waitMs);
  let isCut = false;

  function send(): HttpCall {
    return callHttp({ url: url + SEALED_PATH, headers, body, connectWithinMs });
  }
  async function sendWithProof(): Promise<HttpCall> {
    const audience = nodeAudience(node.node_id);
    const proven = { audience, method: "POST", target: SEALED_PATH, bodyHash, seq };
    headers[PROOF_HEADER] = await signProof(identity, proven, crypto.randomUUID(), nowMs());
    return send();
  }

  const wasKnown = session.isKnown;
  function sent(first: HttpCall): SealedCall {
    let call = first;
    async function answered(): Promise<NodeAnswer | undefined> {
      const came = opened(await call.answer, session, seq);
      const answer = came instanceof Promise ? await came : came;
      if (!wasKnown || answer?.refusal !== "session_unknown") return answer;
      session.isKnown = false;
      call = await sendWithProof();
      if (isCut) call.cut();
      return opened(await call.answer, session, seq);
    }
    return {
      answer: answered(),
      cut() {
        isCut = true;
        call.cut();
      },
    };
  }
  return wasKnown ? sent(send()) : sendWithProof().then(sent);
}

type Opened = NodeAnswer | undefined;

/** At once where all that it takes is at hand. */
function opened(
  came: Awaited<HttpCall["answer"]>,
  session: NodeSession,
  seq: number,
): Opened | Promise<Opened> {
  if (!came.ok) return undefined;
  const outer = came.value;
  const code = outer.header(REFUSAL_HEADER);
  if (code !== undefined) return refused(outer, code);
  const salt = outer.header(SESSION_HEADER);
  if (outer.header("content-type") !== SEALED_TYPE || salt === undefined) {
    outer.cut();
    return undefined;
  }
  const key = session.answerKey(salt);
  const answer =
    key instanceof Promise
      ? key.then((derived) => openAnswer(outer, derived, seq))
      : openAnswer(outer, key, seq);
  if (answer instanceof Promise) return answer.then((later) => answeredIn(session, later));
  return answeredIn(session, answer);
}

function answeredIn(session: NodeSession, answer: Answer | undefined): Opened {
  if (answer === undefined) return undefined;
  session.isKnown = true;
  return { answer, refusal: answer.header(REFUSAL_HEADER) };
}

async function refused(outer: Answer, code: string): Promise<Opened> {
  // Whatever it says, nobody reads it; where it is at hand, the connection can be used again.
  await outer.hasBegun();
  if (outer.takeWhole() === undefined) outer.cut();
  return isOpenRefusal(code) ? { answer: openRefusal(code, outer), refusal: code } : undefined;
}
