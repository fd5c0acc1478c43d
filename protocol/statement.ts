import { z } from "zod";
import { PeerId } from "./identity";
import { Credits, Microcredits } from "./microcredits";
import { ModelId } from "./model-offer";
import { UserId } from "./names";

export const Balance = z.object({
  user_id: UserId,
  /** What can be spent now. */
  available: Credits,
  available_microcredits: Microcredits,
  /** Held by open leases. */
  held: Credits,
  held_microcredits: Microcredits,
  /** Earned, and not yet released: until the client's ack, or for ten minutes. */
  in_escrow: Credits,
  in_escrow_microcredits: Microcredits,
  /** Available, held and in escrow. */
  total: Credits,
  total_microcredits: Microcredits,
});
export type Balance = z.infer<typeof Balance>;

export const TransactionType = z.enum([
  "starter_grant",
  /** Starter credits that nobody spent go back, where a person had some already. */
  "starter_return",
  /** What a peer had of its own when it was linked to a person. */
  "merge",
  /** From an operator. */
  "operator_grant",
  /** Available to held, for a lease; `extension` adds to it. */
  "hold",
  "extension",
  /** A receipt: from the payer's hold into the earner's escrow. */
  "settlement",
  /** Escrow to available: the client agreed, or said nothing for ten minutes. */
  "release",
  /** What an ended lease has left goes back to the payer. */
  "refund",
  /** The part of a settlement that the client's ack contradicts goes back to the payer. */
  "dispute",
]);
export type TransactionType = z.infer<typeof TransactionType>;

export const Transaction = z.object({
  id: z.string().regex(/^\d+$/),
  type: TransactionType,
  /** What it did to `available`. */
  available_change: Credits,
  available_change_microcredits: z.int(),
  /** What it did to `held`. */
  held_change: Credits,
  held_change_microcredits: z.int(),
  /** What it did to `in_escrow`. */
  escrow_change: Credits,
  escrow_change_microcredits: z.int(),
  lease_id: z.uuid().optional(),
  model: z.string().optional(),
  /** ISO 8601, UTC. */
  at: z.iso.datetime(),
});
export type Transaction = z.infer<typeof Transaction>;

export const Transactions = z.object({
  transactions: z.array(Transaction),
  /** Pass it as `cursor` for the next page; absent on the last. */
  next_cursor: z.string().optional(),
});
export type Transactions = z.infer<typeof Transactions>;

const Served = z.object({
  requests: z.int().nonnegative(),
  completion_tokens: z.int().nonnegative(),
  /** What was earned, in escrow or paid. */
  credits: Credits,
  microcredits: Microcredits,
});

/** Why a node that could have been named to a client was not; `failed` and `full`: why a client went on to another one. */
export const PassedOver = z.enum(["gone", "left_out", "busy", "cold", "slower", "failed", "full"]);
export type PassedOver = z.infer<typeof PassedOver>;

/** What the nodes of one user served to others and to the user, in the last days. */
export const Earnings = z.object({
  user_id: UserId,
  days: z.int().positive(),
  total: Served,
  /** Newest first; days by UTC, without those on which nothing was served. */
  by_day: z.array(Served.extend({ day: z.iso.date() })),
  /** Best earning first, here and below. */
  by_model: z.array(Served.extend({ model: ModelId })),
  by_node: z.array(
    Served.extend({
      node_id: PeerId,
      name: z.string().optional(),
      /** It offers a model now. */
      live: z.boolean(),
      /** Times that it was named to a client. */
      chosen: z.int().nonnegative(),
      /** Times that it was looked at and not named, by reason. */
      passed_over: z.partialRecord(PassedOver, z.int().positive()),
    }),
  ),
});
export type Earnings = z.infer<typeof Earnings>;
