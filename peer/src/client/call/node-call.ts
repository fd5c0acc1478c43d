import type { Candidate } from "#protocol/authorize";
import { isAllowedUrl } from "#protocol/address-ranges";
import type { Identity } from "#protocol/identity";
import { EMPTY_BODY_HASH, nodeAudience, PROOF_HEADER, signProof } from "#protocol/proof";
import { TICKET_HEADER, TICKETS_PATH } from "#protocol/ticket";
import { callHttp, type HttpCall } from "../../http/call";

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

export type ShownTicket = {
  readonly node: Candidate;
  readonly url: string;
  readonly ticket: string;
  readonly seq: number;
};

/** Shows a node a ticket, with a proof and nothing else. */
export async function showTicket(
  identity: Identity,
  { node, url, ticket, seq }: ShownTicket,
  nowMs: number,
): Promise<HttpCall> {
  const audience = nodeAudience(node.node_id);
  const proven = { audience, method: "POST", target: TICKETS_PATH, bodyHash: EMPTY_BODY_HASH, seq };
  const proof = await signProof(identity, proven, crypto.randomUUID(), nowMs);
  return callHttp({
    url: url + TICKETS_PATH,
    headers: { "content-length": 0, [TICKET_HEADER]: ticket, [PROOF_HEADER]: proof },
    body: { kind: "whole", bytes: new Uint8Array() },
  });
}
