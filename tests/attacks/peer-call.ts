import { z } from "zod";
import type { VectorKey } from "#support/vector-keys";
import { send } from "./attack";
import type { Target } from "./target";
import { goodProof, type Json, newKey, sign } from "./tokens";

export type Call = {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
};

/** A peer as its key; the coordinator knows it once it has registered. */
export type Peer = { readonly key: VectorKey; readonly user: string };

const Registered = z.object({ user_id: z.string() });

/** What a peer asks of the coordinator, with a proof that is good. */
export function asPeer(t: Target, key: VectorKey, target: string, call: Call = {}) {
  const body = call.body === undefined ? undefined : JSON.stringify(call.body);
  const method = call.method ?? (body === undefined ? "GET" : "POST");
  const asked = { audience: t.coordinator, method, target, ...(body !== undefined && { body }) };
  return send(t, t.coordinator + target, {
    method,
    headers: {
      "content-type": "application/json",
      "troop-proof": sign(goodProof(key, asked)),
      ...call.headers,
    },
    ...(body !== undefined && { body }),
  });
}

export async function newPeer(t: Target): Promise<Peer> {
  const key = newKey();
  const answer = await asPeer(t, key, "/register", { body: {} });
  return { key, user: Registered.parse(await answer.json()).user_id };
}

/** The fields of an answer that has to be a good one. */
export async function fieldsOf(answer: Promise<Response> | Response): Promise<Json> {
  const said = await answer;
  const text = await said.text();
  if (!said.ok) throw new Error(`Answered ${said.status}: ${text}`);
  return text === "" ? {} : (JSON.parse(text) as Json);
}

/** What is asked, and proven. */
export type Route = { readonly method: string; readonly target: string; readonly body?: string };

/** Sends a request with whatever stands in the place of a proof. */
export function askWith(
  target: Target,
  route: Route,
  proof: string | undefined,
  headers: Json = {},
) {
  return send(target, target.coordinator + route.target, {
    method: route.method,
    headers: {
      "content-type": "application/json",
      ...(proof !== undefined && { "troop-proof": proof }),
      ...(headers as Record<string, string>),
    },
    ...(route.body !== undefined && { body: route.body }),
  });
}
