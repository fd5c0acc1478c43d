import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ReceiptClaims } from "#protocol/receipt";
import { expect } from "vitest";
import type { Journal } from "#peer/outbox/journal";
import { openOutboxFile } from "#peer/outbox/outbox-file";
import { openReceiptOutbox, type ReceiptOutbox } from "#peer/worker/serve/receipt-outbox";

export const COORDINATOR = "https://troop.example";
export const OPENED = {
  lease: "00000000-0000-4000-8000-000000000001",
  seq: 1,
  model: "m",
  engine: "vllm",
  started_at_ms: Date.UTC(2030, 0, 1),
  queue_ms: 0,
  request_hash: "x".repeat(43),
} as const;
export const DONE: ReceiptClaims = { ...OPENED, engine_ms: 12, outcome: "completed" };

export const MODULE = pathToFileURL(
  join(import.meta.dirname, "../../../peer/src/worker/serve/receipt-outbox.ts"),
).href;

/** More than are kept at hand. */
export const MANY = 1_700;

export function open(folder: string): ReceiptOutbox {
  return openReceiptOutbox(folder, COORDINATOR);
}

/** Runs `lines` with an `outbox` on `folder` and `opened`, then kills their process. */
export async function killedAfter(folder: string, lines: string): Promise<void> {
  const script = `
    import { openReceiptOutbox } from ${JSON.stringify(MODULE)};
    const outbox = openReceiptOutbox(${JSON.stringify(folder)}, ${JSON.stringify(COORDINATOR)});
    const opened = ${JSON.stringify(OPENED)};
    const done = ${JSON.stringify(DONE)};
    ${lines}
    process.kill(process.pid, "SIGKILL");
  `;
  const killed = Bun.spawn([process.execPath, "-e", script], { stderr: "pipe" });
  await killed.exited;
  expect(await new Response(killed.stderr).text()).toBe("");
  expect(killed.signalCode).toBe("SIGKILL");
}

/** A journal that does some things otherwise. Its size stays its own: a copy would tell that of the moment. */
export function journalWith(journal: Journal, changed: Partial<Omit<Journal, "bytes">>): Journal {
  return {
    get bytes() {
      return journal.bytes;
    },
    append: (line) => journal.append(line),
    replace: (lines) => journal.replace(lines),
    close: () => journal.close(),
    ...changed,
  };
}

/** An outbox's file whose journal is on a disk that can be full. */
export function openFullable(folder: string, kind: Parameters<typeof openOutboxFile>[1]) {
  const disk = { isFull: false };
  function write(run: () => void): void {
    if (disk.isFull) throw new Error("full");
    run();
  }
  const file = openOutboxFile(folder, kind);
  const journal = journalWith(file.journal, {
    append: (line) => write(() => file.journal.append(line)),
    replace: (lines) => write(() => file.journal.replace(lines)),
  });
  return { disk, file: { ...file, journal } };
}
