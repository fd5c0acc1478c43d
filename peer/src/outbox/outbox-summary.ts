import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { readJournal } from "./journal";
import { leftIn } from "./journal-lines";
import { journalPath, type OutboxOwner, outboxPath } from "./outbox-file";

/** What an outbox holds, for whichever coordinator. */
export type OutboxSummary = {
  /** Not yet taken by the coordinator. */
  readonly waiting: number;
  /** Of requests that run now, or ran when the process was killed: these are sent after its next start. */
  readonly unfinished: number;
  /** Of the last 30 days, the most frequent reason first. */
  readonly refused: readonly { readonly code: string; readonly count: number }[];
};

/** Reads along while its owner runs or not; `unreadable`: damaged, of another version, or not this user's. */
export function readOutbox(
  homeDir: string,
  owner: OutboxOwner,
): OutboxSummary | "absent" | "unreadable" {
  const path = outboxPath(homeDir, owner);
  if (!existsSync(path)) return "absent";
  try {
    // First the journal: what moves to the database meanwhile is then rather seen twice than not at all.
    const noted = [...leftIn(readJournal(journalPath(homeDir, owner))).items.values()];
    const running = noted.filter(({ isOpen }) => isOpen).length;
    using database = new Database(path, { readonly: true, strict: true });
    const count = database.query<{ count: number }, [number]>(
      "SELECT count(*) AS count FROM items WHERE state = ?",
    );
    return {
      waiting: (count.get(1)?.count ?? 0) + noted.length - running,
      unfinished: (count.get(0)?.count ?? 0) + running,
      refused: database
        .query<{ code: string; count: number }, []>(
          "SELECT code, count(*) AS count FROM refused GROUP BY code ORDER BY count DESC, code",
        )
        .all(),
    };
  } catch {
    return "unreadable"; // Who looks after it is told why when it starts.
  }
}
