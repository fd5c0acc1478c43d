import { z } from "zod";

/** Rows of one list that an export holds; of longer lists it holds the newest. */
export const EXPORT_MOST_ROWS = 10_000;

const Rows = z.array(z.record(z.string(), z.unknown()));

/** All that a coordinator keeps about a person, as it keeps it; but for hashes of secrets. */
export const OwnData = z.object({
  exported_at: z.string(),
  user: z.record(z.string(), z.unknown()),
  sessions: Rows,
  peers: Rows,
  memberships: Rows,
  transactions: Rows,
  leases: Rows,
  /** Of requests that the person's machines served. */
  receipts: Rows,
  /** Of requests that they sent. */
  acks: Rows,
  /** Proofs of their machines' hardware. */
  benchmarks: Rows,
  audit_events: Rows,
  /** Lists that were longer. */
  shortened: z.array(z.string()),
});
export type OwnData = z.infer<typeof OwnData>;

/** Asked for again: a session alone, perhaps left open somewhere, is not enough to end all. */
export const LeaveRequest = z.object({ password: z.string().max(256) });
export type LeaveRequest = z.infer<typeof LeaveRequest>;
