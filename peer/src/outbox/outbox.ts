import { createCrowd, type Place } from "../crowd";
import { journalLine } from "./journal-lines";
import type { OutboxFile } from "./outbox-file";

export type Unsent<Item> = {
  readonly id: number;
  readonly ticket: string;
  readonly item: Item;
};
export type EndedItem<Item> = { readonly ticket: string; readonly item: Item };
/** An item whose request runs. */
export type OpenItem<Opened> = Place<Begun<Opened>>;
type Begun<Opened> = { readonly id: number; readonly ticket: string; readonly opened: Opened };
export type RefusedItem = { readonly id: number; readonly code: string };

/** Receipts or acks on their way to the coordinator, in a file: a crash loses none. Everything in it is synchronous. */
export type Outbox<Opened, Item> = {
  /** Before a request begins: from now on there will be an item, whatever happens. Throws on a full disk. */
  open(ticket: string, opened: Opened): OpenItem<Opened>;
  /** The request has ended; its item can be sent. Where it cannot be written, what `open` wrote stands for it in a crash. */
  complete(open: OpenItem<Opened>, item: Item): void;
  /** The request never began. */
  forget(open: OpenItem<Opened>): void;
  /** Items that were not opened. Where they cannot be written, a crash loses them. */
  add(items: readonly EndedItem<Item>[]): void;
  /** Those that can be sent and have waited longest. */
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
  /** What becomes of a request that ran when the process was killed, which was alive at `aliveMs` for the last time. */
  readonly recover?: (opened: Opened, aliveMs: number) => Item;
  /** It could not be written; it is tried again with the next. */
  readonly onFull?: () => void;
};

/** Ended ones that are kept at hand: so many seconds of a busy node in which the coordinator does not answer. */
const MOST_AT_HAND = 1_000;
/** Of more than that, the oldest go to the database together. */
const SAVED_TOGETHER = 250;
/** Where there is no room on the disk; the oldest gives way. */
const MOST_WITHOUT_ROOM = 10_000;
/** Lines of one write. Where there is no room, the next try costs no more than that. */
const WRITTEN_TOGETHER = 100;
/** The journal is written anew when it has grown by so much, and most of it is of what has gone. */
const JOURNAL_BYTES = 1_024 * 1_024;
/** Long after anybody could still look into it. */
const REFUSED_KEPT_MS = 30 * 86_400_000;

type Row = { id: number; ticket: string; claims: string };

/**
 * Each item is noted in the file's journal, which costs a write, and kept at hand until it is taken. A database, in which
 * a row costs ten times that, has those that an earlier run left, and takes over when they become too many.
 */
export function createOutbox<Opened, Item>(
  options: OutboxOptions<Opened, Item>,
): Outbox<Opened, Item> {
  const { coordinatorUrl, onFull = () => {}, recover } = options;
  const { database, journal } = options.file;
  if (recover !== undefined) {
    recoverCrashed(options.file, (claims, aliveMs) =>
      JSON.stringify(recover(JSON.parse(claims) as Opened, aliveMs)),
    );
  }
  const insert = database.query<unknown, [number, string, string, string]>(
    "INSERT INTO items (id, coordinator, ticket, claims, state) VALUES (?, ?, ?, ?, 1)",
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
  const ready = database.query<{ count: number }, [string]>(
    "SELECT count(*) AS count FROM items WHERE state = 1 AND coordinator = ?",
  );
  const highest = database.query<{ id: number | null }, []>("SELECT max(id) AS id FROM items");

  let savedCount = ready.get(coordinatorUrl)?.count ?? 0;
  let nextId = (highest.get()?.id ?? 0) + 1;
  const running = createCrowd<Begun<Opened>>();
  /** In the order in which they ended. */
  const ended: Unsent<Item>[] = [];
  /** The numbers of those that are in the journal. */
  const ticketNumbers = new Map<string, number>();
  let nextTicketNumber = 1;
  let aliveMs: number | undefined;
  let rewriteAtBytes = JOURNAL_BYTES;
  let saveAbove = MOST_AT_HAND;
  /** Lines that there was no room for. */
  const unwritten: string[] = [];

  /** Where there is no room, requests that run go on. */
  function unlessFull(write: () => void): void {
    try {
      write();
    } catch {
      ticketNumbers.clear();
      onFull();
    }
  }

  function beginning(what: "open" | "add", id: number, ticket: string, claims: unknown): string {
    const known = ticketNumbers.get(ticket);
    if (known !== undefined) return journalLine([what, id, known, claims]);
    const number = nextTicketNumber;
    nextTicketNumber += 1;
    ticketNumbers.set(ticket, number);
    const first = journalLine(["ticket", number, coordinatorUrl, ticket]);
    return first + journalLine([what, id, number, claims]);
  }

  /** Writes them with those that could not be written before, or makes the journal anew. */
  function note(lines: readonly string[]): void {
    unwritten.push(...lines);
    if (unwritten.length > MOST_WITHOUT_ROOM) {
      unwritten.splice(0, unwritten.length - MOST_WITHOUT_ROOM);
    }
    const isIdle = running.size + ended.length === 0;
    unlessFull(isIdle || journal.bytes > rewriteAtBytes ? rewrite : writeOut);
  }
  function writeOut(): void {
    while (unwritten.length > 0) {
      journal.append(unwritten.slice(0, WRITTEN_TOGETHER).join(""));
      unwritten.splice(0, WRITTEN_TOGETHER);
    }
  }
  function rewrite(): void {
    // Not with each line, where there is no room.
    rewriteAtBytes = journal.bytes + JOURNAL_BYTES;
    ticketNumbers.clear();
    const lines: string[] = [];
    for (const { id, ticket, opened } of running.all()) {
      lines.push(beginning("open", id, ticket, opened));
    }
    for (const { id, ticket, item } of ended) lines.push(beginning("add", id, ticket, item));
    if (aliveMs !== undefined && running.size > 0) lines.push(journalLine(["alive", aliveMs]));
    journal.replace(lines.join(""));
    unwritten.length = 0;
    rewriteAtBytes = 2 * journal.bytes + JOURNAL_BYTES;
  }

  function save({ id, ticket, item }: Unsent<Item>): void {
    insert.run(id, coordinatorUrl, ticket, JSON.stringify(item));
  }
  const saveAll = database.transaction((items: readonly Unsent<Item>[]) => items.forEach(save));
  /** The coordinator is away, or slower than the requests. */
  function saveTooMany(): void {
    if (ended.length <= saveAbove) return;
    // Not with each that ends, where there is no room.
    saveAbove = ended.length + SAVED_TOGETHER;
    unlessFull(() => {
      const oldestEnded = ended.slice(0, SAVED_TOGETHER);
      saveAll(oldestEnded);
      saveAbove = MOST_AT_HAND;
      savedCount += oldestEnded.length;
      ended.splice(0, oldestEnded.length);
      note([journalLine(["gone", oldestEnded.map(({ id }) => id)])]);
    });
  }

  /** Those at hand are so no longer; the result are the others, which are in the database. */
  function takeOut(ids: readonly number[]): number[] {
    const gone = new Set(ids);
    const kept: Unsent<Item>[] = [];
    let seen = 0;
    // They stand in front: the oldest are sent first.
    for (const one of ended) {
      if (gone.size === 0) break;
      if (!gone.delete(one.id)) kept.push(one);
      seen += 1;
    }
    if (kept.length < seen) ended.splice(0, seen, ...kept);
    return [...gone];
  }
  const removeAll = database.transaction((ids: readonly number[]) => {
    for (const id of ids) remove.run(id);
  });
  const refuseAll = database.transaction((items: readonly RefusedItem[], nowMs: number) => {
    for (const { id, code } of items) {
      const one = ended.find((each) => each.id === id);
      if (one !== undefined) save(one);
      setAside.run(code, nowMs, id);
      remove.run(id);
    }
    dropOld.run(nowMs - REFUSED_KEPT_MS);
  });

  return {
    open(ticket, opened) {
      const id = nextId;
      try {
        journal.append(beginning("open", id, ticket, opened));
      } catch (cause) {
        ticketNumbers.clear();
        throw cause;
      }
      nextId += 1;
      return running.enter({ id, ticket, opened });
    },
    complete(open, item) {
      if (!running.leave(open)) return;
      const { id, ticket } = open.one;
      ended.push({ id, ticket, item });
      note([journalLine(["end", id, item])]);
      saveTooMany();
    },
    forget(open) {
      if (!running.leave(open)) return;
      note([journalLine(["gone", [open.one.id]])]);
    },
    add(items) {
      const lines: string[] = [];
      for (const { ticket, item } of items) {
        const id = nextId;
        nextId += 1;
        ended.push({ id, ticket, item });
        lines.push(beginning("add", id, ticket, item));
      }
      note(lines);
      saveTooMany();
      if (ended.length > MOST_WITHOUT_ROOM) ended.splice(0, ended.length - MOST_WITHOUT_ROOM);
    },
    unsent(limit) {
      const rows = savedCount === 0 ? [] : oldest.all(coordinatorUrl, limit);
      // Rows come with a kilobyte of text each, which is mostly the same.
      const tickets = new Map(rows.map(({ ticket }) => [ticket, ticket]));
      const unsent: Unsent<Item>[] = rows.map(({ id, ticket, claims }) => ({
        id,
        ticket: tickets.get(ticket) ?? ticket,
        item: JSON.parse(claims) as Item,
      }));
      return unsent.concat(ended.slice(0, limit - unsent.length));
    },
    get unsentCount() {
      return savedCount + ended.length;
    },
    remove(ids) {
      const saved = takeOut(ids);
      if (saved.length > 0) removeAll(saved);
      savedCount -= saved.length;
      note([journalLine(["gone", ids])]);
    },
    refuse(items, nowMs) {
      refuseAll(items, nowMs);
      const ids = items.map(({ id }) => id);
      savedCount -= takeOut(ids).length;
      note([journalLine(["gone", ids])]);
    },
    checkpoint(nowMs) {
      aliveMs = nowMs;
      note([journalLine(["alive", nowMs])]);
    },
    close: () => options.file.close(),
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
