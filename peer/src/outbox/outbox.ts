import type { Clock } from "../clock";
import type { OutboxFile } from "./outbox-file";

export type Unsent<Item> = {
  readonly id: number;
  readonly ticket: string;
  readonly item: Item;
};
export type RefusedItem = { readonly id: number; readonly code: string };

/** Receipts or acks on their way to the coordinator, in a file: a crash loses none. Everything in it is synchronous. */
export type Outbox<Opened, Item> = {
  /** Before a request begins: from now on there will be an item, whatever happens. Throws on a full disk. */
  open(ticket: string, opened: Opened): number;
  /**
   * The request has ended; its item can be sent. It is written with others a moment later: a crash before that leaves
   * what `open` wrote, which becomes an item, too.
   */
  complete(id: number, item: Item): void;
  /** The request never began. */
  forget(id: number): void;
  /** An item that was not opened; it is written with others a moment later, and a crash before that loses it. */
  add(ticket: string, item: Item): void;
  /** The oldest that can be sent. */
  unsent(limit: number): readonly Unsent<Item>[];
  readonly unsentCount: number;
  /** The coordinator has them. */
  remove(ids: readonly number[]): void;
  /** The coordinator will never take them: kept aside for the operator. */
  refuse(items: readonly RefusedItem[], nowMs: number): void;
  /** Now and then while requests run: if the process is killed, so long they ran at least. */
  checkpoint(nowMs: number): void;
  close(): void;
};

export type OutboxOptions<Opened, Item> = {
  readonly file: OutboxFile;
  /** Items for one coordinator are handed out; others' stay in the file until their turn. */
  readonly coordinatorUrl: string;
  readonly clock: Pick<Clock, "after">;
  /** What becomes of a request that ran when the process was killed, which was alive at `aliveMs` for the last time. */
  readonly recover?: (opened: Opened, aliveMs: number) => Item;
  /** It could not be written; it is tried again with the next. */
  readonly onFull?: () => void;
};

/** One write for all that ends together. */
const SAVE_AFTER_MS = 50;
/** Added ones that wait for room on the disk; the oldest gives way. */
const MOST_UNSAVED = 10_000;
/** Long after anybody could still look into it. */
const REFUSED_KEPT_MS = 30 * 86_400_000;

type Row = { id: number; ticket: string; claims: string };

export function createOutbox<Opened, Item>(
  options: OutboxOptions<Opened, Item>,
): Outbox<Opened, Item> {
  const { coordinatorUrl, clock, onFull = () => {} } = options;
  const { database } = options.file;
  const { recover } = options;
  if (recover !== undefined) {
    recoverCrashed(options.file, (claims, aliveMs) =>
      JSON.stringify(recover(JSON.parse(claims) as Opened, aliveMs)),
    );
  }
  const insert = database.query<unknown, [string, string, string, number]>(
    "INSERT INTO items (coordinator, ticket, claims, state) VALUES (?, ?, ?, ?)",
  );
  const update = database.query<unknown, [string, number]>(
    "UPDATE items SET claims = ?, state = 1 WHERE id = ?",
  );
  const oldest = database.query<Row, [string, number]>(
    "SELECT id, ticket, claims FROM items WHERE state = 1 AND coordinator = ? ORDER BY id LIMIT ?",
  );
  const remove = database.query<unknown, [number]>("DELETE FROM items WHERE id = ?");
  const setAside = database.query<unknown, [string, number, number]>(
    `INSERT INTO refused (coordinator, claims, code, refused_at_ms)
     SELECT coordinator, claims, ?, ? FROM items WHERE id = ?`,
  );
  const dropOld = database.query<unknown, [number]>("DELETE FROM refused WHERE refused_at_ms < ?");
  const beat = database.query<unknown, [number]>(
    "INSERT INTO alive (id, at_ms) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at_ms = excluded.at_ms",
  );
  const ready = database.query<{ count: number }, [string]>(
    "SELECT count(*) AS count FROM items WHERE state = 1 AND coordinator = ?",
  );
  let savedCount = ready.get(coordinatorUrl)?.count ?? 0;
  const completed = new Map<number, Item>();
  let added: { readonly ticket: string; readonly item: Item }[] = [];
  let isSaveDue = false;

  const saveAll = database.transaction(() => {
    for (const [id, item] of completed) update.run(JSON.stringify(item), id);
    for (const { ticket, item } of added) {
      insert.run(coordinatorUrl, ticket, JSON.stringify(item), 1);
    }
  });
  const unsavedCount = (): number => completed.size + added.length;
  /** Throws on a full disk; then they stay where they are and are tried again with the next. */
  function save(): void {
    if (unsavedCount() === 0) return;
    saveAll();
    savedCount += unsavedCount();
    completed.clear();
    added = [];
  }
  const removeAll = database.transaction((ids: readonly number[]) => {
    for (const id of ids) remove.run(id);
  });
  const refuseAll = database.transaction((items: readonly RefusedItem[], nowMs: number) => {
    for (const { id, code } of items) {
      setAside.run(code, nowMs, id);
      remove.run(id);
    }
    dropOld.run(nowMs - REFUSED_KEPT_MS);
  });

  /** What is not written now is written with the next; requests that run go on. */
  function unlessFull(write: () => void): void {
    try {
      write();
    } catch {
      onFull();
    }
  }

  function saveSoon(): void {
    if (isSaveDue) return;
    isSaveDue = true;
    clock.after(SAVE_AFTER_MS, () => {
      isSaveDue = false;
      unlessFull(save);
    });
  }

  return {
    open: (ticket, opened) =>
      Number(insert.run(coordinatorUrl, ticket, JSON.stringify(opened), 0).lastInsertRowid),
    complete(id, item) {
      completed.set(id, item);
      saveSoon();
    },
    forget: (id) => void remove.run(id),
    add(ticket, item) {
      if (added.length >= MOST_UNSAVED) added.shift();
      added.push({ ticket, item });
      saveSoon();
    },
    unsent(limit) {
      unlessFull(save);
      return oldest
        .all(coordinatorUrl, limit)
        .map(({ id, ticket, claims }) => ({ id, ticket, item: JSON.parse(claims) as Item }));
    },
    get unsentCount() {
      return savedCount + unsavedCount();
    },
    remove(ids) {
      removeAll(ids);
      savedCount -= ids.length;
    },
    refuse(items, nowMs) {
      refuseAll(items, nowMs);
      savedCount -= items.length;
    },
    checkpoint(nowMs) {
      unlessFull(() => {
        save();
        beat.run(nowMs);
      });
    },
    close() {
      unlessFull(save);
      options.file.close();
    },
  };
}

function recoverCrashed(
  { database }: OutboxFile,
  recover: (claims: string, aliveMs: number) => string,
): void {
  const alive = database.query<{ at_ms: number }, []>("SELECT at_ms FROM alive").get()?.at_ms ?? 0;
  const rows = database.query<Row, []>("SELECT id, ticket, claims FROM items WHERE state = 0");
  const update = database.query<unknown, [string, number]>(
    "UPDATE items SET claims = ?, state = 1 WHERE id = ?",
  );
  database.transaction(() => {
    for (const { id, claims } of rows.all()) {
      update.run(recover(claims, alive), id);
    }
  })();
}
