/** What became of a request: `cancelled` is the client leaving, `broken` a fault on our side. */
export type JournalOutcome = "running" | "completed" | "refused" | "cancelled" | "broken";

export type JournalEntry = {
  readonly seq: number;
  readonly atMs: number;
  readonly method: string;
  /** Path with its query string, as it arrived. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  bodyBytes: number;
  /** Lower-case hex; the hash of no bytes for a request without a body. */
  bodySha256: string;
  /** The body's first bytes, if the journal was told to keep any. */
  body: Uint8Array | null;
  /** The model that the request named. */
  model: string | null;
  status: number;
  /** Tokens that were handed to the connection. */
  tokens: number;
  outcome: JournalOutcome;
};

export type JournalOptions = {
  /** How many requests it remembers; 0 keeps none. Default 1,000. */
  readonly limit?: number;
  /** How much of each body it keeps. Default 0. */
  readonly bodyBytesKept?: number;
};

export type Journal = {
  readonly limit: number;
  readonly bodyBytesKept: number;
  /** Requests seen since the start, forgotten ones included. */
  readonly total: number;
  /** Oldest first. */
  entries(): readonly JournalEntry[];
  open(entry: Pick<JournalEntry, "method" | "path" | "headers">): JournalEntry;
  close(entry: JournalEntry, outcome: Exclude<JournalOutcome, "running">): void;
  clear(): void;
  /** The first remembered or coming entry that fits; it is asked again when an entry changes. */
  until(fits: (entry: JournalEntry) => boolean): Promise<JournalEntry>;
};

const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** Remembers the last `limit` requests and nothing beyond, however long the engine runs. */
export function createJournal({ limit = 1_000, bodyBytesKept = 0 }: JournalOptions = {}): Journal {
  let ring: JournalEntry[] = [];
  let next = 0;
  let total = 0;
  const watchers = new Set<(entry: JournalEntry) => void>();

  const entries = (): JournalEntry[] =>
    ring.length < limit ? [...ring] : [...ring.slice(next), ...ring.slice(0, next)];
  const announce = (entry: JournalEntry): void => {
    for (const watcher of watchers) watcher(entry);
  };

  return {
    limit,
    bodyBytesKept,
    get total() {
      return total;
    },
    entries,
    open({ method, path, headers }) {
      const entry: JournalEntry = {
        seq: total,
        atMs: Date.now(),
        method,
        path,
        headers,
        bodyBytes: 0,
        bodySha256: EMPTY_SHA256,
        body: null,
        model: null,
        status: 0,
        tokens: 0,
        outcome: "running",
      };
      total += 1;
      if (limit > 0) {
        ring[next] = entry;
        next = (next + 1) % limit;
      }
      announce(entry);
      return entry;
    },
    close(entry, outcome) {
      if (entry.outcome !== "running") return;
      entry.outcome = outcome;
      announce(entry);
    },
    clear() {
      ring = [];
      next = 0;
    },
    until(fits) {
      const known = entries().find(fits);
      if (known !== undefined) return Promise.resolve(known);
      return new Promise((resolve) => {
        const watcher = (entry: JournalEntry): void => {
          if (!fits(entry)) return;
          watchers.delete(watcher);
          resolve(entry);
        };
        watchers.add(watcher);
      });
    },
  };
}
