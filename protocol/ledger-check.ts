import { z } from "zod";

/** Where operators ask for an audit of the ledger: HTTP Basic, with the operator's password. */
export const LEDGER_CHECK_PATH = "/admin/ledger/check";
/** The name that goes with the password. */
export const ADMIN_NAME = "admin";

const Count = z.int().nonnegative();

/** A law of the ledger that does not hold for one transfer, account or lease; amounts in microcredits. */
export const LedgerOffender = z.object({
  kind: z.enum([
    "transfer_unbalanced",
    "transfer_without_entries",
    "balance_differs_from_entries",
    "held_differs_from_leases",
    "escrow_differs_from_receipts",
    "spent_differs_from_transfers",
    "receipts_differ_from_transfers",
  ]),
  /** Of the transfer, account or lease. */
  id: z.string(),
  at: z.string(),
  expected: z.number(),
  found: z.number(),
});
export type LedgerOffender = z.infer<typeof LedgerOffender>;

export const LedgerCheck = z.object({
  checked_at: z.string(),
  counts: z.object({
    transfers: Count,
    entries: Count,
    accounts: Count,
    leases: Count,
    receipts: Count,
    in_escrow: Count,
    acks: Count,
    disputes: Count,
  }),
  offender_count: Count,
  /** The first by time, as many as are shown. */
  offenders: z.array(LedgerOffender),
  /** The latest transfers of the first offender, oldest first. */
  history: z.array(
    z.object({
      transfer: z.string(),
      at: z.string(),
      type: z.string(),
      key: z.string(),
      lease: z.string().nullable(),
      entries: z.array(
        z.object({
          account: z.string(),
          user: z.string().nullable(),
          kind: z.string(),
          amount: z.number(),
        }),
      ),
    }),
  ),
});
export type LedgerCheck = z.infer<typeof LedgerCheck>;
