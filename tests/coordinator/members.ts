import { expect } from "vitest";
import type { AckClaims } from "#protocol/ack";
import { Authorization } from "#protocol/authorize";
import type { ReceiptClaims } from "#protocol/receipt";
import { Balance } from "#protocol/statement";
import { SubmitAnswer, type SubmitResult } from "#protocol/submit";
import type { TestCoordinator } from "#support/coordinator";
import { newPeer, type TestPeer } from "#support/test-peer";

/** A peer with a user of its own. */
export type Member = TestPeer & { readonly user: string };

export type Batch = { readonly receipts?: readonly unknown[]; readonly acks?: readonly unknown[] };

/** Nodes and clients of a coordinator, and what they say about requests that nobody served. */
export function membersOf(coordinator: () => TestCoordinator) {
  async function join(): Promise<Member> {
    const peer = await newPeer(coordinator().url);
    return { ...peer, user: (await peer.register()).user_id };
  }

  /** A node that offers the model. */
  async function serve(model: string): Promise<Member> {
    const peer = await newPeer(coordinator().url);
    const registration = await peer.register();
    const models = [{ id: model, engine: "ollama", state: "loaded" } as const];
    expect((await peer.beat(registration, { models })).status).toBe(200);
    return { ...peer, user: registration.user_id };
  }

  async function balance({ call, user }: Member): Promise<Balance> {
    return Balance.parse(await (await call(`/users/${user}/balance`)).json());
  }

  async function authorize(peer: TestPeer, body: object): Promise<Authorization> {
    return Authorization.parse(await (await peer.call("/authorize", { body })).json());
  }

  /** Sends receipts, or what else there is, under these leases' tickets. */
  async function submit(
    sender: TestPeer,
    granted: readonly Authorization[],
    batch: readonly unknown[] | Batch,
  ): Promise<SubmitResult[]> {
    const items = "map" in batch ? { receipts: batch } : batch;
    const body = { tickets: granted.map(({ ticket }) => ticket), ...items };
    const answer = await sender.call("/transactions/submit", { body });
    return SubmitAnswer.parse(await answer.json()).results;
  }

  return { join, serve, balance, authorize, submit, receiptOf, ackOf };
}

const REQUEST_HASH = "h".repeat(43);

function receiptOf(
  granted: Pick<Authorization, "lease_id" | "model">,
  facts: Partial<ReceiptClaims> = {},
): ReceiptClaims {
  return {
    lease: granted.lease_id,
    seq: 0,
    model: granted.model,
    engine: "ollama",
    started_at_ms: Date.now(),
    queue_ms: 0,
    // Less than has passed since the ticket: more would not be paid.
    engine_ms: 2,
    outcome: "completed",
    request_hash: REQUEST_HASH,
    ...facts,
  };
}

function ackOf(
  node: TestPeer,
  granted: Pick<Authorization, "lease_id">,
  facts: Partial<AckClaims> = {},
): AckClaims {
  return {
    lease: granted.lease_id,
    seq: 0,
    node: node.identity.peerId,
    wall_ms: 3,
    outcome: "completed",
    request_hash: REQUEST_HASH,
    ...facts,
  };
}
