import { type AddressInfo, createServer } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { type Lease, openLease } from "#peer/client/leases/lease";
import { tellOfTicket } from "#peer/client/leases/tell-of-ticket";
import { generatePrivateKey, type Identity, openIdentity } from "#protocol/identity";
import { ticketClaims } from "../../worker/fake-network";
import { clientNetwork, type ClientNetwork } from "../client-under-test";

/** A URL that takes connections and never answers. */
async function silent(): Promise<string> {
  const server = createServer(() => {});
  await new Promise<void>((listening) => void server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

type Told = { readonly id: string; readonly url: string };

async function leaseOf(network: ClientNetwork, nodes: readonly Told[]) {
  const identity: Identity = await openIdentity(await generatePrivateKey());
  const claims = ticketClaims("", identity.peerId, {
    aud: nodes.map(({ id }) => id),
    rates: Object.fromEntries(nodes.map(({ id }) => [id, 1_000_000])),
    budget: 7,
  });
  const { model, budget, exp: expires_at, jti: lease_id } = claims;
  const ticket = await network.key.sign(claims);
  const lease: Lease = openLease(
    model,
    {
      ticket,
      lease_id,
      network: "public",
      model,
      budget,
      expires_at,
      candidates: nodes.map(({ id: node_id, url }) => ({
        node_id,
        urls: [url],
        e2e_key: "the.nodes.key",
        engine: "vllm",
        rate: 1_000_000,
        own: false,
        expected_ms: 0,
      })),
    },
    Date.now,
  );
  return { identity, lease };
}

it("shows a larger budget to each node, whatever the others do", async () => {
  const network = await clientNetwork();
  const gone = await network.addNode();
  await gone.stop();
  const hangs = { id: (await network.addNode()).id, url: await silent() };
  const good = await network.addNode();
  const { identity, lease } = await leaseOf(network, [gone, hangs, good]);
  const deps = { identity, allowedRanges: () => ["127.0.0.0/8"], nowMs: Date.now };
  // The silent one is left after a tenth of a second; nothing is thrown.
  await expect(tellOfTicket(deps, lease, 100)).resolves.toBeUndefined();
  expect(good.tickets.all.map(({ budget }) => budget)).toEqual([7]);
});

it("dials no node outside the ranges to tell it", async () => {
  const network = await clientNetwork();
  const node = await network.addNode();
  const { identity, lease } = await leaseOf(network, [node]);
  await tellOfTicket({ identity, allowedRanges: () => ["100.64.0.0/10"], nowMs: Date.now }, lease);
  expect(node.tickets.all).toEqual([]);
});
