import { z } from "zod";
import { Microcredits } from "./microcredits";
import { UserId } from "./names";

/** Credits as an exact decimal string, for people; `-1.5` where it left the balance. */
const Credits = z.string().regex(/^-?\d+(\.\d{1,6})?$/);

export const Balance = z.object({
  user_id: UserId,
  /** What can be spent now. */
  available: Credits,
  available_microcredits: Microcredits,
  /** Held by open leases. */
  held: Credits,
  held_microcredits: Microcredits,
  /** Available and held. */
  total: Credits,
  total_microcredits: Microcredits,
});
export type Balance = z.infer<typeof Balance>;

export const TransactionType = z.enum([
  "starter_grant",
  "hold",
  "extension",
  "settlement",
  "release",
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
