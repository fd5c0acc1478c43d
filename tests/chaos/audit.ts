import { z } from "zod";
import { LedgerCheck } from "#protocol/ledger-check";
import { openStores, type StoresOptions } from "#self-host/stores";
import type { SqlBackend } from "#self-host/sql-backend";

export type Audit = {
  readonly reachedEngine: number;
  readonly receipts: number;
  /** Requests that the engine saw and no receipt tells of: what must not be. */
  readonly lost: readonly string[];
  /** Receipts with an amount and not just one settlement of it. */
  readonly misSettled: readonly string[];
  /** What the ledger's own check finds. */
  readonly offenders: readonly string[];
};

/** Compares what the engine saw with what the ledger says, when everything has stopped. */
export async function audit(
  where: Pick<StoresOptions, "dataDir" | "databaseUrl" | "redisUrl">,
  engineHashes: ReadonlySet<string>,
): Promise<Audit> {
  const stores = await openStores(where);
  try {
    const receipts = await rows(
      stores.sql,
      Receipt,
      `select r.lease_id || ':' || r.seq || ':' || r.node_id as key, r.request_hash, r.amount::text,
         (select count(*) from transfers t where t.idempotency_key =
           'settlement:' || r.lease_id || ':' || r.seq || ':' || r.node_id)::text as settlements
       from receipts r`,
    );
    const [checked] = await rows(stores.sql, Checked, "select check_ledger(100) as report");
    const report = LedgerCheck.parse(JSON.parse(checked?.report ?? ""));
    const known = new Set(receipts.map(({ request_hash }) => hexOf(request_hash)));
    return {
      reachedEngine: engineHashes.size,
      receipts: receipts.length,
      lost: [...engineHashes].filter((hash) => !known.has(hash)),
      misSettled: receipts
        .filter(({ amount, settlements }) => settlements !== (amount === "0" ? "0" : "1"))
        .map(({ key }) => key),
      offenders: report.offenders.map(({ kind, id }) => `${kind} ${id}`),
    };
  } finally {
    await stores.close();
  }
}

const Receipt = z.object({
  key: z.string(),
  request_hash: z.string(),
  amount: z.string(),
  settlements: z.string(),
});
const Checked = z.object({ report: z.string() });

async function rows<Row extends z.ZodType>(
  sql: SqlBackend,
  row: Row,
  text: string,
): Promise<z.infer<Row>[]> {
  const { fields, rows: values } = await sql.query({ text, params: [] });
  return values.map((one) =>
    row.parse(Object.fromEntries(fields.map(({ name }, place) => [name, one[place]]))),
  );
}

function hexOf(base64url: string): string {
  return Buffer.from(base64url, "base64url").toString("hex");
}
