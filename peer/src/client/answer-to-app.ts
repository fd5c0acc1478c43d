import type { IncomingMessage } from "node:http";
import type { Candidate } from "#protocol/authorize";
import { answerHeaders } from "../worker/forward-headers";
import type { NodeCall } from "./node-call";
import { relayBody } from "./relay";

const NO_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** The node's answer as the app gets it: its status, its headers, every byte. */
export function answerToApp(
  answered: {
    readonly message: IncomingMessage;
    readonly call: NodeCall;
    readonly node: Candidate;
    readonly end: () => void;
  },
  request: { readonly target: string; readonly requestId: string },
  attempts: number,
): Response {
  const { message, call, node, end } = answered;
  const status = message.statusCode ?? 502;
  const headers = answerHeaders(message);
  headers.set("x-troop-node", node.node_id);
  headers.set("x-troop-request-id", request.requestId);
  headers.set("x-troop-attempts", String(attempts));
  const body = relayBody(message, request.target, { ended: end, left: () => call.cut() });
  if (!NO_BODY.has(status)) return new Response(body, { status, headers });
  void body.cancel();
  return new Response(null, { status, headers });
}
