import type { Database } from "bun:sqlite";
import { join } from "node:path";
import type { ReceiptClaims } from "#protocol/receipt";
import type { Clock } from "./clock";
import { openOutboxFile } from "./outbox-schema";

/** A receipt before it is signed; the signature is the same whenever it is made. */
export type ReceiptDraft = Omit<ReceiptClaims, "iss">;
/** What is known of a request before the engine has it. */
export type OpenedReceipt = Omit<
  ReceiptDraft,
  "ttft_ms" | "engine_ms" | "prompt_tokens" | "completion_tokens" | "outcome" | "response_hash"
>;

export type UnsentReceipt = {
  readonly id: number;
  readonly ticket: string;
  readonly draft: ReceiptDraft;
};
export type RefusedReceipt = { readonly id: number; readonly code: string };

/** Receipts on their way to the coordinator, in a file: a crash loses none. Everything in it is synchronous. */
export type Outbox = {
  /** Before the engine gets a request: from now on there will be a receipt, whatever happens. Throws on a full disk. */
  open(ticket: string, receipt: OpenedReceipt): number;
  /**
   * The request has ended; its receipt can be sent. It is written with others a moment later: a crash before that
   * leaves what `open` wrote, which is a receipt, too.
   */
  complete(id: number, receipt: ReceiptDraft): void;
  /** The engine never got the request. */
  forget(id: number): void;
  /** The oldest that can be sent. */
  unsent(limit: number): readonly UnsentReceipt[];
  readonly unsentCount: number;
  /** The coordinator has them. */
  remove(ids: readonly number[]): void;
  /** The coordinator will never take them: kept aside for the operator. */
  refuse(items: readonly RefusedReceipt[], nowMs: number): void;
  refused(): readonly { readonly claims: string; readonly code: string }[];
  /** Now and then while requests run: if the process is killed, so long they ran at least. */
  checkpoint(nowMs: number): void;
  close(): void;
};

/** One write for all that ends together. */
const SAVE_AFTER_MS = 50;

type Row = { id: number; ticket: string; claims: string };

/** Receipts for one coordinator; others' stay in the file until their turn. Throws `CliError`. */
export function openOutbox(
  homeDir: string,
  coordinatorUrl: string,
  clock: Pick<Clock, "after">,
): Outbox {
  const database = openOutboxFile(join(homeDir, "worker-outbox.sqlite"));
  recoverCrashed(database);
  const insert = database.query<unknown, [string, string, string]>(
    "INSERT INTO receipts (coordinator, ticket, claims, state) VALUES (?, ?, ?, 0)",
  );
  const update = database.query<unknown, [string, number]>(
    "UPDATE receipts SET claims = ?, state = 1 WHERE id = ?",
  );
  const oldest = database.query<Row, [string, number]>(
    "SELECT id, ticket, claims FROM receipts WHERE state = 1 AND coordinator = ? ORDER BY id LIMIT ?",
  );
  const remove = database.query<unknown, [number]>("DELETE FROM receipts WHERE id = ?");
  const setAside = database.query<unknown, [string, number, number]>(
    `INSERT INTO refused (coordinator, claims, code, refused_at_ms)
     SELECT coordinator, claims, ?, ? FROM receipts WHERE id = ?`,
  );
  const beat = database.query<unknown, [number]>(
    "INSERT INTO alive (id, at_ms) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at_ms = excluded.at_ms",
  );
  const ready = database.query<{ count: number }, [string]>(
    "SELECT count(*) AS count FROM receipts WHERE state = 1 AND coordinator = ?",
  );
  let savedCount = ready.get(coordinatorUrl)?.count ?? 0;
  const unsaved = new Map<number, ReceiptDraft>();
  let isSaveDue = false;

  const saveAll = database.transaction(() => {
    for (const [id, receipt] of unsaved) update.run(JSON.stringify(receipt), id);
  });
  /** Throws on a full disk; then they stay where they are and are tried again with the next. */
  function save(): void {
    if (unsaved.size === 0) return;
    saveAll();
    savedCount += unsaved.size;
    unsaved.clear();
  }
  const removeAll = database.transaction((ids: readonly number[]) => {
    for (const id of ids) remove.run(id);
  });
  const refuseAll = database.transaction((items: readonly RefusedReceipt[], nowMs: number) => {
    for (const { id, code } of items) {
      setAside.run(code, nowMs, id);
      remove.run(id);
    }
  });

  function complete(id: number, receipt: ReceiptDraft): void {
    unsaved.set(id, receipt);
    if (isSaveDue) return;
    isSaveDue = true;
    clock.after(SAVE_AFTER_MS, () => {
      isSaveDue = false;
      unlessFull(save);
    });
  }

  return {
    open: (ticket, receipt) =>
      Number(insert.run(coordinatorUrl, ticket, JSON.stringify(receipt)).lastInsertRowid),
    complete,
    forget: (id) => void remove.run(id),
    unsent(limit) {
      unlessFull(save);
      const rows = oldest.all(coordinatorUrl, limit);
      return rows.map(({ id, ticket, claims }) => ({
        id,
        ticket,
        draft: JSON.parse(claims) as ReceiptDraft,
      }));
    },
    get unsentCount() {
      return savedCount + unsaved.size;
    },
    remove(ids) {
      removeAll(ids);
      savedCount -= ids.length;
    },
    refuse(items, nowMs) {
      refuseAll(items, nowMs);
      savedCount -= items.length;
    },
    refused: () =>
      database
        .query<{ claims: string; code: string }, []>("SELECT claims, code FROM refused ORDER BY id")
        .all(),
    checkpoint(nowMs) {
      unlessFull(() => {
        save();
        beat.run(nowMs);
      });
    },
    close() {
      unlessFull(save);
      database.close();
    },
  };
}

/** What is not written now is written with the next; requests that run go on. */
function unlessFull(write: () => void): void {
  try {
    write();
  } catch {
    // New requests are refused by then, and their operator is told why: `open` throws, too.
  }
}

/**
 * What ran when the process was killed did reach the engine: its receipt says so, with the time up to the last
 * checkpoint, which was never more than the truth.
 */
function recoverCrashed(database: Database): void {
  const alive = database.query<{ at_ms: number }, []>("SELECT at_ms FROM alive").get()?.at_ms ?? 0;
  const rows = database.query<Row, []>("SELECT id, ticket, claims FROM receipts WHERE state = 0");
  const update = database.query<unknown, [string, number]>(
    "UPDATE receipts SET claims = ?, state = 1 WHERE id = ?",
  );
  database.transaction(() => {
    for (const { id, claims } of rows.all()) {
      const opened = JSON.parse(claims) as OpenedReceipt;
      const engineMs = Math.max(0, alive - opened.started_at_ms);
      const draft: ReceiptDraft = { ...opened, engine_ms: engineMs, outcome: "engine_error" };
      update.run(JSON.stringify(draft), id);
    }
  })();
}
