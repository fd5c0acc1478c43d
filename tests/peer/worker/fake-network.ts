import { exportJWK, generateKeyPair } from "jose";
import { onTestFinished } from "vitest";
import { z } from "zod";
import { Heartbeat } from "#protocol/heartbeat";
import { generatePrivateKey, type Identity, openIdentity, PublicKey } from "#protocol/identity";
import { ReceiptClaims } from "#protocol/receipt";
import { type CoordinatorKey, Jwks } from "#protocol/register";
import { SubmitRequest, type SubmitResult } from "#protocol/submit";
import { signTicket, type TicketClaims } from "#protocol/ticket";
import { decodeJwt } from "jose";
import {
  type FakeCoordinator,
  fakeCoordinator,
  registrationOf,
} from "../coordinator/fake-coordinator";

export const MODEL = "demo-org/Demo-1B-Instruct";
export const CLIENT_USER = `usr_${"1".repeat(26)}`;

/** A list that can be waited on. */
export type Watched<Item> = {
  readonly all: readonly Item[];
  push(item: Item): void;
  /** The first, already there or to come, that fits. */
  until(fits: (item: Item) => boolean): Promise<Item>;
};

export function watched<Item>(): Watched<Item> {
  const all: Item[] = [];
  const waiting = new Set<(item: Item) => void>();
  return {
    all,
    push(item) {
      all.push(item);
      for (const look of waiting) look(item);
    },
    until(fits) {
      const known = all.find(fits);
      if (known !== undefined) return Promise.resolve(known);
      return new Promise((resolve) => {
        const look = (item: Item): void => {
          if (!fits(item)) return;
          waiting.delete(look);
          resolve(item);
        };
        waiting.add(look);
      });
    },
  };
}

export type SigningKey = {
  readonly kid: string;
  readonly publicKey: CoordinatorKey;
  readonly sign: (claims: TicketClaims) => Promise<string>;
};

export async function signingKey(kid: string): Promise<SigningKey> {
  const pair = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const { x } = PublicKey.parse(await exportJWK(pair.publicKey));
  return {
    kid,
    publicKey: { kty: "OKP", crv: "Ed25519", x, kid, alg: "EdDSA", use: "sig" },
    sign: (claims) => signTicket(claims, pair.privateKey, kid),
  };
}

/** `iss`: the peer that sent it. */
type SentReceipt = ReceiptClaims & { readonly iss: string };

/** A coordinator made of the protocol's own parts: it signs tickets and keeps what nodes tell it. */
export type FakeNetwork = {
  readonly coordinator: FakeCoordinator;
  readonly key: SigningKey;
  readonly client: Identity;
  readonly heartbeats: Watched<Heartbeat>;
  readonly receipts: Watched<SentReceipt>;
  /** How often each receipt (`lease/seq`) came. */
  readonly deliveries: Map<string, number>;
  /** Published keys, as `/.well-known/jwks.json` tells them. */
  jwks: Jwks;
  /** Takes the place of settling; for instance to refuse. */
  judge: (receipt: ReceiptClaims) => SubmitResult;
  ticket(nodeId: string, claims?: Partial<TicketClaims>): Promise<string>;
};

export const ISSUER = "https://troop.example";

export async function fakeNetwork(): Promise<FakeNetwork> {
  const key = await signingKey("key-1");
  const client = await openIdentity(await generatePrivateKey());
  const heartbeats = watched<Heartbeat>();
  const receipts = watched<SentReceipt>();
  const deliveries = new Map<string, number>();

  const coordinator = fakeCoordinator({
    "POST /register": ({ peerId }) =>
      Response.json({ ...registrationOf(peerId, Date.now()), issuer: ISSUER, jwks: network.jwks }),
    "POST /heartbeat": ({ body }) => {
      heartbeats.push(Heartbeat.parse(JSON.parse(body)));
      return Response.json({ status: "seen", next_in_seconds: 15 });
    },
    "GET /.well-known/jwks.json": () => Response.json(network.jwks),
    "POST /transactions/submit": ({ body, peerId }) => {
      const batch = SubmitRequest.parse(JSON.parse(body));
      const results = batch.receipts.map((said) => {
        const claims = { ...ReceiptClaims.parse(said), iss: peerId };
        const id = `${claims.lease}/${claims.seq}`;
        deliveries.set(id, (deliveries.get(id) ?? 0) + 1);
        const isKnown = batch.tickets.some(
          (ticket) => z.object({ jti: z.string() }).parse(decodeJwt(ticket)).jti === claims.lease,
        );
        if (!isKnown) return { status: "refused", code: "ticket_missing" } as const;
        receipts.push(claims);
        return network.judge(claims);
      });
      return Response.json({ results });
    },
  });
  onTestFinished(() => coordinator[Symbol.asyncDispose]());

  const network: FakeNetwork = {
    coordinator,
    key,
    client,
    heartbeats,
    receipts,
    deliveries,
    jwks: { keys: [key.publicKey] },
    judge: ({ engine_ms: amount }) => ({ status: "settled", amount }),
    ticket: (nodeId, claims = {}) => key.sign(ticketClaims(nodeId, client.peerId, claims)),
  };
  return network;
}

export function ticketClaims(
  nodeId: string,
  clientId: string,
  claims: Partial<TicketClaims> = {},
): TicketClaims {
  const now = Math.floor(Date.now() / 1_000);
  return {
    iss: ISSUER,
    sub: CLIENT_USER,
    cnf: { jkt: clientId },
    aud: [nodeId],
    jti: crypto.randomUUID(),
    iat: now,
    nbf: now,
    exp: now + 300,
    net: "public",
    model: MODEL,
    rates: { [nodeId]: 1_000_000 },
    budget: 60_000_000,
    ...claims,
  };
}
