import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { Candidate } from "#protocol/authorize";
import { isAllowedUrl } from "#protocol/address-ranges";
import type { Identity } from "#protocol/identity";
import { nodeAudience, PROOF_HEADER, signProof } from "#protocol/proof";
import { TICKET_HEADER } from "#protocol/ticket";
import { callHttp } from "../http/call";

export type NodeRequest = {
  /** Path and query, below `/`. */
  readonly target: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the body, base64url. */
  readonly bodyHash: string;
  readonly ticket: string;
  readonly seq: number;
};

export type NodeCall = {
  readonly answer: Promise<IncomingMessage | undefined>;
  /** Ends it at once. */
  cut(): void;
};

type Checked = { readonly ranges: readonly string[]; readonly url: string | undefined };
/** Addresses are parsed once for each lease, not for each request. */
const checked = new WeakMap<Candidate, Checked>();

/** The node's first address that the operator's ranges allow. */
export function dialledUrl(node: Candidate, ranges: readonly string[]): string | undefined {
  const before = checked.get(node);
  if (before?.ranges === ranges) return before.url;
  const url = node.urls.find((one) => isAllowedUrl(one, ranges));
  checked.set(node, { ranges, url });
  return url;
}

/** Sends a request to a node with a ticket and a proof; `undefined`: it cannot be reached. */
export async function callNode(
  identity: Identity,
  node: Candidate,
  url: string,
  request: NodeRequest,
  nowMs: number,
): Promise<NodeCall> {
  const { target, seq, bodyHash } = request;
  const proven = { audience: nodeAudience(node.node_id), method: "POST", target, bodyHash, seq };
  const proof = await signProof(identity, proven, crypto.randomUUID(), nowMs);
  const call = callHttp({
    url: url + target,
    headers: { ...request.headers, [TICKET_HEADER]: request.ticket, [PROOF_HEADER]: proof },
    body: { kind: "whole", bytes: request.body },
  });
  return {
    answer: call.answer.then((answer) => (answer.ok ? answer.value : undefined)),
    cut: () => call.cut(),
  };
}
