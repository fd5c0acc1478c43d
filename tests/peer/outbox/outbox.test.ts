import { Database } from "bun:sqlite";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ReceiptClaims } from "#protocol/receipt";
import { expect, it } from "vitest";
import { CliError } from "#peer/cli/error";
import { createOutbox } from "#peer/outbox/outbox";
import type { Journal } from "#peer/outbox/journal";
import { journalPath, openOutboxFile, outboxPath } from "#peer/outbox/outbox-file";
import { readOutbox } from "#peer/outbox/outbox-summary";
import { openReceiptOutbox, type ReceiptOutbox } from "#peer/worker/serve/receipt-outbox";
import { temporaryFolder } from "../home/temporary-folder";

const COORDINATOR = "https://troop.example";
const OPENED = {
  lease: "00000000-0000-4000-8000-000000000001",
  seq: 1,
  model: "m",
  engine: "vllm",
  started_at_ms: Date.UTC(2030, 0, 1),
  queue_ms: 0,
  request_hash: "x".repeat(43),
} as const;
const DONE: ReceiptClaims = { ...OPENED, engine_ms: 12, outcome: "completed" };

const MODULE = pathToFileURL(
  join(import.meta.dirname, "../../../peer/src/worker/serve/receipt-outbox.ts"),
).href;

function setAside(folder: string): unknown {
  using file = new Database(outboxPath(folder, "worker"), { readonly: true });
  return file.query("SELECT claims FROM refused").all();
}

function open(folder: string): ReceiptOutbox {
  return openReceiptOutbox(folder, COORDINATOR);
}

/** Runs `lines` with an `outbox` on `folder` and `opened`, then kills their process. */
async function killedAfter(folder: string, lines: string): Promise<void> {
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

it("keeps a receipt until it is taken, across restarts", async () => {
  const folder = await temporaryFolder();
  const first = open(folder);
  first.complete(first.open("ticket", OPENED), DONE);
  expect(first.unsent(10)).toMatchObject([{ ticket: "ticket", item: DONE }]);
  first.close();

  const second = open(folder);
  expect(second.unsentCount).toBe(1);
  const [receipt] = second.unsent(10);
  expect(receipt).toMatchObject({ ticket: "ticket", item: DONE });
  second.remove([receipt?.id ?? -1]);
  expect(second.unsentCount).toBe(0);
  second.close();

  const third = open(folder);
  expect(third.unsent(10)).toEqual([]);
  third.close();
});

it("tells items of this run from those of the run before", async () => {
  const folder = await temporaryFolder();
  const first = open(folder);
  first.complete(first.open("ticket", OPENED), DONE);
  first.close();
  const second = open(folder);
  second.complete(second.open("ticket", OPENED), { ...DONE, seq: 2 });
  const [old, own] = second.unsent(10);
  expect([old?.item.seq, own?.item.seq]).toEqual([1, 2]);
  second.remove([own?.id ?? -1]);
  expect(second.unsent(10).map(({ item }) => item.seq)).toEqual([1]);
  second.close();
});

it("hands out what ended first first, and none that still runs or never ran", async () => {
  const outbox = open(await temporaryFolder());
  const ids = [1, 2, 3, 4].map((seq) => outbox.open("ticket", { ...OPENED, seq }));
  outbox.complete(ids[2] ?? -1, { ...DONE, seq: 3 });
  outbox.complete(ids[0] ?? -1, { ...DONE, seq: 1 });
  outbox.forget(ids[1] ?? -1);
  expect(outbox.unsent(10).map(({ item }) => item.seq)).toEqual([3, 1]);
  expect(outbox.unsent(1).map(({ item }) => item.seq)).toEqual([3]);
  outbox.close();
});

it("has what ended at once, also when the process is killed then, and nothing of what is over", async () => {
  const folder = await temporaryFolder();
  await killedAfter(
    folder,
    `const ids = [1, 2, 3, 4].map((seq) => outbox.open("ticket", { ...opened, seq }));
    for (const seq of [1, 2, 4]) outbox.complete(ids[seq - 1], { ...done, seq });
    outbox.forget(ids[2]);
    outbox.remove([ids[0]]);`,
  );
  expect(readOutbox(folder, "worker")).toEqual({ waiting: 2, unfinished: 0, refused: [] });
  const outbox = open(folder);
  expect(outbox.unsent(10).map(({ item }) => item)).toEqual([
    { ...DONE, seq: 2 },
    { ...DONE, seq: 4 },
  ]);
  outbox.close();
});

/** More than are kept at hand. */
const MANY = 5_200;

it("keeps more than fit into memory, hands each out, and takes each back once", async () => {
  const folder = await temporaryFolder();
  const outbox = open(folder);
  const runs = outbox.open("ticket", { ...OPENED, seq: 0 });
  for (let seq = 1; seq <= MANY; seq += 1) {
    outbox.complete(outbox.open("ticket", { ...OPENED, seq }), { ...DONE, seq });
  }
  expect(outbox.unsentCount).toBe(MANY);
  expect(readOutbox(folder, "worker")).toEqual({ waiting: MANY, unfinished: 1, refused: [] });
  using file = new Database(outboxPath(folder, "worker"), { readonly: true });
  expect(file.query("SELECT 1 FROM items").all().length).toBeGreaterThan(1_000);
  const seqs: number[] = [];
  for (let batch = outbox.unsent(100); batch.length > 0; batch = outbox.unsent(100)) {
    seqs.push(...batch.map(({ item }) => item.seq));
    outbox.remove(batch.map(({ id }) => id));
  }
  expect(seqs).toEqual(Array.from({ length: MANY }, (_, at) => at + 1));
  outbox.complete(runs, { ...DONE, seq: 0 });
  expect(outbox.unsent(10).map(({ item }) => item.seq)).toEqual([0]);
  outbox.close();
});

it("takes back what went from memory to the database while it was sent", async () => {
  const folder = await temporaryFolder();
  const outbox = open(folder);
  const ended = (seq: number): void =>
    outbox.complete(outbox.open("ticket", { ...OPENED, seq }), { ...DONE, seq });
  ended(1);
  const [sent] = outbox.unsent(1);
  for (let seq = 2; seq <= MANY; seq += 1) ended(seq);
  outbox.remove([sent?.id ?? -1]);
  expect(outbox.unsentCount).toBe(MANY - 1);
  expect(outbox.unsent(1).map(({ item }) => item.seq)).toEqual([2]);
  outbox.close();
});

it("loses none and doubles none of many when it is killed", async () => {
  const folder = await temporaryFolder();
  await killedAfter(
    folder,
    `for (let seq = 1; seq <= ${MANY}; seq += 1) {
      outbox.complete(outbox.open("ticket", { ...opened, seq }), { ...done, seq });
      if (seq % 1_300 === 0) outbox.remove(outbox.unsent(100).map(({ id }) => id));
    }`,
  );
  const outbox = open(folder);
  const seqs = outbox.unsent(MANY).map(({ item }) => item.seq);
  expect(seqs).toEqual(Array.from({ length: MANY - 400 }, (_, at) => at + 401));
  outbox.close();
});

it("takes no more of the disk than what it holds, however much has passed", async () => {
  const folder = await temporaryFolder();
  const outbox = open(folder);
  const runs = outbox.open("ticket", { ...OPENED, seq: 0 });
  const ticket = "t".repeat(2_000);
  for (let seq = 1; seq <= 6_000; seq += 1) {
    const id = outbox.open(ticket, { ...OPENED, seq });
    outbox.complete(id, { ...DONE, seq });
    outbox.remove([id]);
  }
  expect(statSync(journalPath(folder, "worker")).size).toBeLessThan(1_100_000);
  outbox.forget(runs);
  const path = journalPath(folder, "worker");
  expect(statSync(path).size).toBe(0);
  outbox.open(ticket, OPENED);
  expect(readFileSync(path, "utf8").match(/^\["\w+"/gm)).toEqual(['["ticket"', '["open"']);
  outbox.close();
});

it("keeps other coordinators' receipts for their time", async () => {
  const folder = await temporaryFolder();
  const one = open(folder);
  one.complete(one.open("ticket", OPENED), DONE);
  one.close();
  const other = openReceiptOutbox(folder, "https://other.example");
  expect([other.unsentCount, other.unsent(10)]).toEqual([0, []]);
  other.close();
  const again = open(folder);
  expect(again.unsent(10)).toHaveLength(1);
  again.close();
});

it("sets aside what is refused, with the reason, where troop status finds it", async () => {
  const folder = await temporaryFolder();
  const outbox = open(folder);
  const [id = -1] = [1, 2, 3].map((seq) => {
    const each = outbox.open("ticket", { ...OPENED, seq });
    outbox.complete(each, { ...DONE, seq });
    return each;
  });
  outbox.open("ticket", { ...OPENED, seq: 4 });
  expect(outbox.unsent(1)).toHaveLength(1);
  outbox.refuse([{ id, code: "lease_unknown" }], 1);
  expect(outbox.unsentCount).toBe(2);
  expect(outbox.unsent(9).map(({ item }) => item.seq)).toEqual([2, 3]);
  // While it is open, and by another process's means.
  const refused = [{ code: "lease_unknown", count: 1 }];
  expect(readOutbox(folder, "worker")).toEqual({ waiting: 2, unfinished: 1, refused });
  outbox.close();
  expect(readOutbox(folder, "worker")).toEqual({ waiting: 2, unfinished: 1, refused });
  expect(setAside(folder)).toEqual([{ claims: JSON.stringify({ ...DONE, seq: 1 }) }]);
  expect(readOutbox(folder, "client")).toBe("absent");
});

it("forgets what was refused long ago", async () => {
  const folder = await temporaryFolder();
  const outbox = open(folder);
  const refuse = (seq: number, nowMs: number): void => {
    const id = outbox.open("ticket", { ...OPENED, seq });
    outbox.complete(id, { ...DONE, seq });
    expect(outbox.unsent(1)).toHaveLength(1);
    outbox.refuse([{ id, code: "lease_unknown" }], nowMs);
  };
  refuse(1, OPENED.started_at_ms);
  refuse(2, OPENED.started_at_ms + 29 * 86_400_000);
  expect(readOutbox(folder, "worker")).toMatchObject({ refused: [{ count: 2 }] });
  refuse(3, OPENED.started_at_ms + 31 * 86_400_000);
  expect(readOutbox(folder, "worker")).toMatchObject({ refused: [{ count: 2 }] });
  outbox.close();
});

it("has a receipt, with the time up to the last checkpoint, for what ran when the process was killed", async () => {
  const folder = await temporaryFolder();
  await killedAfter(
    folder,
    `outbox.open("ticket", opened);
    outbox.checkpoint(opened.started_at_ms + 5_000);
    outbox.open("ticket", { ...opened, seq: 2, started_at_ms: opened.started_at_ms + 5_500 });`,
  );
  expect(readOutbox(folder, "worker")).toEqual({ waiting: 0, unfinished: 2, refused: [] });
  const outbox = open(folder);
  expect(outbox.unsent(10).map(({ item }) => item)).toEqual([
    { ...OPENED, engine_ms: 5_000, outcome: "engine_error" },
    {
      ...OPENED,
      seq: 2,
      started_at_ms: OPENED.started_at_ms + 5_500,
      engine_ms: 0,
      outcome: "engine_error",
    },
  ]);
  outbox.close();
});

it("has a receipt for what ran when a process of a version without a journal was killed", async () => {
  const folder = await temporaryFolder();
  open(folder).close();
  const file = new Database(outboxPath(folder, "worker"));
  const claims = JSON.stringify(OPENED);
  file.run("INSERT INTO items VALUES (1, ?, 'ticket', ?, 0)", [COORDINATOR, claims]);
  file.run("INSERT INTO alive VALUES (1, ?)", [OPENED.started_at_ms + 700]);
  file.close();
  const outbox = open(folder);
  const item = { ...OPENED, engine_ms: 700, outcome: "engine_error" };
  expect(outbox.unsent(10)).toEqual([{ id: 1, ticket: "ticket", item }]);
  outbox.close();
});

it("takes over the receipts in a file of the version before", async () => {
  const folder = await temporaryFolder();
  open(folder).close();
  const file = new Database(outboxPath(folder, "worker"));
  file.run("ALTER TABLE items RENAME TO receipts");
  file.run("INSERT INTO receipts VALUES (1, ?, 'ticket', ?, 1)", [
    COORDINATOR,
    JSON.stringify(DONE),
  ]);
  file.run("PRAGMA user_version = 1");
  file.close();
  const outbox = open(folder);
  expect(outbox.unsent(10)).toEqual([{ id: 1, ticket: "ticket", item: DONE }]);
  outbox.close();
});

it("is one file for a worker and another for a client of the same home", async () => {
  const folder = await temporaryFolder();
  const outbox = open(folder);
  const client = openOutboxFile(folder, "client");
  expect(() => openOutboxFile(folder, "client")).toThrow("A client runs with this home already.");
  client.close();
  outbox.close();
});

it("loses nothing that was kept when there is no room for more", async () => {
  const folder = await temporaryFolder();
  const script = `
    import { openReceiptOutbox } from ${JSON.stringify(MODULE)};
    const outbox = openReceiptOutbox(${JSON.stringify(folder)}, ${JSON.stringify(COORDINATOR)});
    const opened = ${JSON.stringify(OPENED)};
    let kept = 0;
    let failure;
    while (failure === undefined && kept < 10_000) {
      try { outbox.open("ticket".repeat(100), { ...opened, seq: kept }); kept += 1; } catch (error) { failure = error.code ?? error.message; }
    }
    // What ends now cannot be written; nothing breaks.
    outbox.complete(1, { ...opened, seq: 0, engine_ms: 1, outcome: "completed" });
    outbox.checkpoint(opened.started_at_ms + 1);
    outbox.close();
    console.log(JSON.stringify({ kept, failure }));
  `;
  const full = Bun.spawn(
    // Files larger than 100 KiB cannot be written by it.
    ["sh", "-c", 'trap \'\' XFSZ; ulimit -f 200; exec "$0" -e "$1"', process.execPath, script],
    { stderr: "pipe" },
  );
  const { kept, failure } = JSON.parse(await new Response(full.stdout).text());
  expect(await new Response(full.stderr).text()).toBe("");
  expect(failure).toMatch(/^EFBIG$|no room/);
  expect(kept).toBeGreaterThan(10);

  const outbox = open(folder);
  const seqs = outbox.unsent(10_000).map(({ item }) => item.seq);
  expect(seqs.toSorted((one, other) => one - other)).toEqual(
    Array.from({ length: kept }, (_, seq) => seq),
  );
  outbox.close();
});

/** A journal on a disk that can be full. */
function fullable(journal: Journal) {
  const disk = { isFull: false };
  function write(run: () => void): void {
    if (disk.isFull) throw new Error("full");
    run();
  }
  return {
    ...journal,
    disk,
    append: (line: string) => write(() => journal.append(line)),
    replace: (lines: string) => write(() => journal.replace(lines)),
  };
}

it("says that there is no room for what is added, sends it all the same, and writes it when there is", async () => {
  const folder = await temporaryFolder();
  const file = openOutboxFile(folder, "client");
  const journal = fullable(file.journal);
  let full = 0;
  const outbox = createOutbox<never, string>({
    file: { ...file, journal },
    coordinatorUrl: COORDINATOR,
    onFull: () => (full += 1),
  });
  journal.disk.isFull = true;
  outbox.add([{ ticket: "ticket", item: "first" }]);
  expect(full).toBe(1);
  expect(outbox.unsent(10).map(({ item }) => item)).toEqual(["first"]);
  expect(readOutbox(folder, "client")).toMatchObject({ waiting: 0 });
  journal.disk.isFull = false;
  outbox.add([{ ticket: "ticket", item: "second" }]);
  expect([full, outbox.unsentCount]).toEqual([1, 2]);
  expect(readOutbox(folder, "client")).toMatchObject({ waiting: 2 });
  outbox.close();
  const again = createOutbox({
    file: openOutboxFile(folder, "client"),
    coordinatorUrl: COORDINATOR,
  });
  expect(again.unsent(10)).toMatchObject([
    { ticket: "ticket", item: "first" },
    { ticket: "ticket", item: "second" },
  ]);
  again.close();
});

it("writes what is added together at once, and has each of it after a crash", async () => {
  const folder = await temporaryFolder();
  const file = openOutboxFile(folder, "client");
  let writes = 0;
  const append = (line: string): void => {
    writes += 1;
    file.journal.append(line);
  };
  const outbox = createOutbox<never, number>({
    file: { ...file, journal: { ...file.journal, append } },
    coordinatorUrl: COORDINATOR,
  });
  outbox.add([
    { ticket: "one", item: 1 },
    { ticket: "two", item: 2 },
    { ticket: "one", item: 3 },
  ]);
  expect(writes).toBe(1);
  outbox.close();
  const again = createOutbox<never, number>({
    file: openOutboxFile(folder, "client"),
    coordinatorUrl: COORDINATOR,
  });
  expect(again.unsent(10)).toMatchObject([
    { ticket: "one", item: 1 },
    { ticket: "two", item: 2 },
    { ticket: "one", item: 3 },
  ]);
  again.close();
});

it("doubles none that are in the database and still in the journal", async () => {
  const folder = await temporaryFolder();
  const file = openOutboxFile(folder, "client");
  const journal = fullable(file.journal);
  const options = { coordinatorUrl: COORDINATOR };
  const outbox = createOutbox<never, number>({ ...options, file: { ...file, journal } });
  const all = Array.from({ length: 4_001 }, (_, at) => at);
  for (const each of all) {
    journal.disk.isFull = each === 4_000;
    outbox.add([{ ticket: "ticket", item: each }]);
  }
  outbox.close();
  expect(readOutbox(folder, "client")).toMatchObject({ waiting: 4_500 });
  const again = createOutbox<never, number>({
    ...options,
    file: openOutboxFile(folder, "client"),
  });
  expect(again.unsent(5_000).map(({ item }) => item)).toEqual(all.slice(0, 4_000));
  again.close();
});

it("knows the ticket of what is opened after there was no room for another", async () => {
  const folder = await temporaryFolder();
  const file = openOutboxFile(folder, "worker");
  const journal = fullable(file.journal);
  const options = { coordinatorUrl: COORDINATOR };
  const outbox = createOutbox<string, string>({ ...options, file: { ...file, journal } });
  outbox.open("one", "first");
  journal.disk.isFull = true;
  expect(() => outbox.open("two", "second")).toThrow("full");
  journal.disk.isFull = false;
  outbox.open("two", "third");
  outbox.close();
  const again = createOutbox<string, string>({
    ...options,
    file: openOutboxFile(folder, "worker"),
    recover: (opened) => `${opened}, killed`,
  });
  expect(again.unsent(10)).toMatchObject([
    { ticket: "one", item: "first, killed" },
    { ticket: "two", item: "third, killed" },
  ]);
  again.close();
});

it("goes on with a journal that cannot be written anew", async () => {
  const folder = await temporaryFolder();
  const file = openOutboxFile(folder, "client");
  const journal = fullable(file.journal);
  const replace = (): never => {
    throw new Error("full");
  };
  const options = { coordinatorUrl: COORDINATOR };
  const outbox = createOutbox<never, string>({
    ...options,
    file: { ...file, journal: { ...journal, replace } },
  });
  const large = "x".repeat(1_100_000);
  for (const each of [large, "second", "third"]) outbox.add([{ ticket: "ticket", item: each }]);
  outbox.close();
  const again = createOutbox<never, string>({
    ...options,
    file: openOutboxFile(folder, "client"),
  });
  expect(again.unsent(10).map(({ item }) => item)).toEqual([large, "second", "third"]);
  again.close();
});

it("keeps the latest 10,000 of what is added and cannot be written", async () => {
  const folder = await temporaryFolder();
  const file = openOutboxFile(folder, "client");
  const journal = fullable(file.journal);
  const outbox = createOutbox<never, number>({
    file: { ...file, journal },
    coordinatorUrl: COORDINATOR,
  });
  journal.disk.isFull = true;
  file.database.run("PRAGMA max_page_count = 1");
  for (let each = 1; each <= 10_003; each += 1) outbox.add([{ ticket: "ticket", item: each }]);
  expect(outbox.unsentCount).toBe(10_000);
  expect(outbox.unsent(1).map(({ item }) => item)).toEqual([4]);
  outbox.close();
});

it("says what to do with a folder that it cannot write to", async () => {
  const folder = await temporaryFolder();
  expect(() => open(join(folder, "absent"))).toThrow("cannot be used (SQLITE_CANTOPEN)");
});

it("belongs to one worker at a time, and says so to another", async () => {
  const folder = await temporaryFolder();
  const outbox = open(folder);
  expect(() => open(folder)).toThrow(CliError);
  expect(() => open(folder)).toThrow("A worker runs with this home already.");
  outbox.close();
  open(folder).close();
});

it("says what to do with a damaged file", async () => {
  const folder = await temporaryFolder();
  await Bun.write(join(folder, "worker-outbox.sqlite"), "no database".repeat(500));
  expect(() => open(folder)).toThrow("is damaged");
});
