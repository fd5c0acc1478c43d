import type { IncomingMessage } from "node:http";
import type { Candidate } from "#protocol/authorize";
import type { Identity } from "#protocol/identity";
import { REFUSAL_HEADER } from "../http/refusal-header";
import type { Lease } from "./lease";
import { callNode, dialledUrl, type NodeCall } from "./node-call";
import { nodeHeaders } from "./node-headers";

export type AppRequest = {
  readonly model: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the body, base64url. */
  readonly bodyHash: string;
  /** The app has gone. */
  readonly signal: AbortSignal;
  readonly requestId: string;
};

export type AttemptDeps = {
  readonly identity: Identity;
  /** CIDR ranges that may be dialled. */
  readonly allowedRanges: () => readonly string[];
  readonly nowMs: () => number;
};

export type Answered = {
  readonly node: Candidate;
  readonly message: IncomingMessage;
  /** The code of the node's own refusal; `undefined` where its engine speaks. */
  readonly refusal: string | undefined;
  /** Cuts the connection. */
  readonly cut: NodeCall["cut"];
  /** Everything has passed, or nothing more will. */
  readonly end: () => void;
};

/**
 * Sends the request to one node. Resolves when content has begun to come; `undefined` where none came: the node may not
 * be dialled, does not answer, or broke off before the first byte.
 */
export async function attempt(
  { allowedRanges, identity, nowMs }: AttemptDeps,
  request: AppRequest,
  lease: Lease,
  node: Candidate,
): Promise<Answered | undefined> {
  const url = dialledUrl(node, allowedRanges());
  if (url === undefined) return undefined;
  const { target, headers, body, bodyHash, signal } = request;
  const seq = lease.nextSeq();
  const call = await callNode(
    identity,
    node,
    url,
    {
      target,
      headers: nodeHeaders(headers, body.length),
      body,
      bodyHash,
      ticket: lease.ticket(),
      seq,
    },
    nowMs(),
  );
  const endOfLease = lease.begin(node.own ? 0 : node.rate);
  const cut = (): void => call.cut();
  const end = (): void => {
    signal.removeEventListener("abort", cut);
    endOfLease();
  };
  signal.addEventListener("abort", cut, { once: true });
  // It may have gone while the proof was being signed; then nobody would tell.
  if (signal.aborted) cut();

  const message = await call.answer;
  if (message === undefined || !(await hasBegun(message))) {
    cut();
    end();
    return undefined;
  }
  const refusal = message.headers[REFUSAL_HEADER]?.toString();
  return { node, message, refusal, cut, end };
}

/** False where the connection ends before the first byte of content, and without the answer's being whole. */
function hasBegun(message: IncomingMessage): Promise<boolean> {
  const isThere = (): boolean => message.readableLength > 0 || message.complete;
  if (isThere() || message.destroyed) return Promise.resolve(isThere());
  return new Promise((resolve) => {
    const look = (): void => {
      message.off("readable", look);
      message.off("close", look);
      resolve(isThere());
    };
    message.on("readable", look);
    message.on("close", look);
    // Stays: an error that nobody listens to would end the process.
    message.on("error", look);
  });
}
