import { answerHeaders } from "../http/pass-headers";
import type { Answered } from "./attempt";
import { relayBody } from "./relay";

/** The node's answer as the app gets it: its status, its headers, every byte. */
export function answerToApp(
  { message, node, cut, end }: Pick<Answered, "message" | "node" | "cut" | "end">,
  request: { readonly target: string; readonly requestId: string },
  attempts: number,
): Response {
  const status = message.statusCode ?? 502;
  const headers = answerHeaders(message);
  headers.set("x-troop-node", node.node_id);
  headers.set("x-troop-request-id", request.requestId);
  headers.set("x-troop-attempts", String(attempts));
  if (message.complete && message.readableLength === 0) {
    message.resume();
    end();
    return new Response(null, { status, headers });
  }
  const relay = { engine: node.engine, target: request.target, ended: end, left: cut };
  return new Response(relayBody(message, relay), { status, headers });
}
