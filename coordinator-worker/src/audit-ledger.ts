import type { Deps } from "./deps";
import { log, logError } from "./log";
import { recordLedgerCheck } from "./store/ledger-check";

/** Audits the ledger, keeps the result, and says so loudly where it is not as it must be. */
export async function auditLedger({ openAuditDb }: Deps): Promise<void> {
  const { offender_count, offenders, counts } = await recordLedgerCheck(openAuditDb());
  const [first] = offenders;
  if (first === undefined) return log("ledger_checked", counts);
  logError("ledger_offenders", { offenders: offender_count, kind: first.kind, id: first.id });
}
