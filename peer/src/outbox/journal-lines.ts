/** What happens to an item, in the order in which it happens. `claims` are its own, or what is known before it ends. */
export type JournalEntry =
  /** Each once, under a number: it is longer than the rest of an item. */
  | readonly [what: "ticket", number: number, coordinator: string, ticket: string]
  | readonly [what: "open" | "add", id: number, ticketNumber: number, claims: unknown]
  | readonly [what: "end", id: number, claims: unknown]
  /** Taken by the coordinator, moved to the database, or never begun. */
  | readonly [what: "gone", ids: readonly number[]]
  /** The process ran at this moment, in Unix milliseconds. */
  | readonly [what: "alive", atMs: number];

export type LeftItem = {
  readonly coordinator: string;
  readonly ticket: string;
  readonly claims: unknown;
  /** Its request had not ended. */
  readonly isOpen: boolean;
};

/** What a run left, by id. */
export type Left = {
  readonly items: ReadonlyMap<number, LeftItem>;
  readonly aliveMs: number | undefined;
};

export function journalLine(entry: JournalEntry): string {
  return `${JSON.stringify(entry)}\n`;
}

/** A process that is killed while it writes leaves half a line, which is none; nor is one that the disk has lost. */
export function leftIn(journal: string): Left {
  const tickets = new Map<number, Pick<LeftItem, "coordinator" | "ticket">>();
  const items = new Map<number, LeftItem>();
  let aliveMs: number | undefined;
  for (const line of journal.split("\n").slice(0, -1)) {
    const entry = entryOf(line);
    switch (entry?.[0]) {
      case "ticket":
        tickets.set(entry[1], { coordinator: entry[2], ticket: entry[3] });
        break;
      case "open":
      case "add": {
        const [what, id, number, claims] = entry;
        const ticket = tickets.get(number);
        if (ticket !== undefined) items.set(id, { ...ticket, claims, isOpen: what === "open" });
        break;
      }
      case "end": {
        const [, id, claims] = entry;
        const open = items.get(id);
        if (open !== undefined) items.set(id, { ...open, claims, isOpen: false });
        break;
      }
      case "gone":
        for (const id of entry[1]) items.delete(id);
        break;
      case "alive":
        aliveMs = entry[1];
        break;
      default:
    }
  }
  return { items, aliveMs };
}

function entryOf(line: string): JournalEntry | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    return Array.isArray(entry) ? (entry as unknown as JournalEntry) : undefined;
  } catch {
    return undefined; // The machine stopped before the disk had it.
  }
}
