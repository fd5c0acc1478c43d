import { z } from "zod";
import { E2eKeyToken } from "./e2e-key";
import { NodeUrl } from "./heartbeat";
import { PeerId } from "./identity";
import { LeaseRate, Microcredits, MICROCREDITS_PER_CREDIT } from "./microcredits";
import { EngineKind, ModelId } from "./model-offer";
import { NetworkId } from "./names";
import { MAX_CANDIDATES } from "./ticket";

/** What a lease holds where the client asks for nothing in particular. */
export const DEFAULT_BUDGET_MICROCREDITS = 60 * MICROCREDITS_PER_CREDIT;

const Budget = Microcredits.positive();

/** What became of requests that a client took to a node, since it told of it last. */
export const NodeObservation = z.object({
  node_id: PeerId,
  /** Times that it could not be reached, broke off, or refused what it should have taken. */
  failed: z.int().nonnegative().max(1_000),
  /** Times that it was busy. */
  full: z.int().nonnegative().max(1_000),
});
export type NodeObservation = z.infer<typeof NodeObservation>;

export const AuthorizeRequest = z.object({
  model: ModelId,
  network: NetworkId.optional(),
  /** The most that the lease shall hold; a poorer user gets a smaller one. */
  budget: Budget.optional(),
  /** Nodes that just failed this client: not to be named again now. */
  exclude: z.array(PeerId).max(32).optional(),
  /** Nodes to name before all others where they have the model: the user's choice, or where conversations are. */
  prefer: z.array(PeerId).max(8).optional(),
  /** For the owners of these nodes to see. */
  observed: z.array(NodeObservation).max(32).optional(),
  /** The only nodes to name. */
  only: z.array(PeerId).min(1).max(MAX_CANDIDATES).optional(),
});
export type AuthorizeRequest = z.infer<typeof AuthorizeRequest>;

export const Candidate = z.object({
  node_id: PeerId,
  urls: z.array(NodeUrl).min(1),
  /** The node's key for end-to-end encryption, as the node certified it. */
  e2e_key: E2eKeyToken,
  engine: EngineKind,
  /** Microcredits a second. */
  rate: LeaseRate,
  /** Free to the user: the node is the user's own. */
  own: z.boolean(),
  /** The coordinator's guess at the milliseconds to completion. */
  expected_ms: z.int().nonnegative(),
});
export type Candidate = z.infer<typeof Candidate>;

export const Authorization = z.object({
  ticket: z.string().min(1),
  lease_id: z.uuid(),
  network: NetworkId,
  model: ModelId,
  budget: Microcredits,
  /** Unix seconds. */
  expires_at: z.int(),
  /** Best first. */
  candidates: z.array(Candidate).min(1).max(MAX_CANDIDATES),
});
export type Authorization = z.infer<typeof Authorization>;

export const ExtendRequest = z.object({
  /** The lease's latest ticket: it says, signed, which nodes at which rates the lease may pay. */
  ticket: z.string().min(1).max(4_096),
  /** Microcredits to add to the budget, as far as the balance goes. */
  add: Budget,
});
export type ExtendRequest = z.infer<typeof ExtendRequest>;

/** A new ticket for the same lease and nodes. */
export const Extension = z.object({
  ticket: z.string().min(1),
  lease_id: z.uuid(),
  budget: Microcredits,
  expires_at: z.int(),
});
export type Extension = z.infer<typeof Extension>;
