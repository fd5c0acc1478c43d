import { Database } from "bun:sqlite";
import { readFileSync, statSync } from "node:fs";
import { expect, it } from "vitest";
import { createOutbox } from "#peer/outbox/outbox";
import { journalPath, openOutboxFile, outboxPath } from "#peer/outbox/outbox-file";
import { readOutbox } from "#peer/outbox/outbox-summary";
import { temporaryFolder } from "../home/temporary-folder";
import {
  COORDINATOR,
  DONE,
  openFullable,
  journalWith,
  MANY,
  MODULE,
  open,
  OPENED,
} from "./outbox-under-test";

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
  expect(file.query("SELECT 1 FROM items").all().length).toBeGreaterThan(500);
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
  const refused = outbox.unsent(1).map(({ id }) => ({ id, code: "lease_unknown" }));
  outbox.refuse(refused, OPENED.started_at_ms);
  expect(outbox.unsentCount).toBe(MANY - 2);
  expect(outbox.unsent(1).map(({ item }) => item.seq)).toEqual([3]);
  outbox.close();
});

it("takes no more of the disk than what it holds, however much has passed", async () => {
  const folder = await temporaryFolder();
  const outbox = open(folder);
  const runs = outbox.open("ticket", { ...OPENED, seq: 0 });
  const ticket = "t".repeat(2_000);
  for (let seq = 1; seq <= 6_000; seq += 1) {
    outbox.complete(outbox.open(ticket, { ...OPENED, seq }), { ...DONE, seq });
    outbox.remove(outbox.unsent(1).map(({ id }) => id));
  }
  expect(statSync(journalPath(folder, "worker")).size).toBeLessThan(1_100_000);
  outbox.forget(runs);
  const path = journalPath(folder, "worker");
  expect(statSync(path).size).toBe(0);
  outbox.open(ticket, OPENED);
  expect(readFileSync(path, "utf8").match(/^\["\w+"/gm)).toEqual(['["ticket"', '["open"']);
  outbox.close();
});

it("loses nothing that was kept when there is no room for more", async () => {
  const folder = await temporaryFolder();
  const script = `
    import { openReceiptOutbox } from ${JSON.stringify(MODULE)};
    const outbox = openReceiptOutbox(${JSON.stringify(folder)}, ${JSON.stringify(COORDINATOR)});
    const opened = ${JSON.stringify(OPENED)};
    let kept = 0;
    let first;
    let failure;
    while (failure === undefined && kept < 10_000) {
      try { const open = outbox.open("ticket".repeat(100), { ...opened, seq: kept }); first ??= open; kept += 1; } catch (error) { failure = error.code ?? error.message; }
    }
    // What ends now cannot be written; nothing breaks.
    outbox.complete(first, { ...opened, seq: 0, engine_ms: 1, outcome: "completed" });
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

it("says that there is no room for what is added, sends it all the same, and writes it when there is", async () => {
  const folder = await temporaryFolder();
  const { disk, file } = openFullable(folder, "client");
  let full = 0;
  const outbox = createOutbox<never, string>({
    file,
    coordinatorUrl: COORDINATOR,
    onFull: () => (full += 1),
  });
  disk.isFull = true;
  outbox.add([{ ticket: "ticket", item: "first" }]);
  expect(full).toBe(1);
  expect(outbox.unsent(10).map(({ item }) => item)).toEqual(["first"]);
  expect(readOutbox(folder, "client")).toMatchObject({ waiting: 0 });
  disk.isFull = false;
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

it("knows the ticket of what is opened after there was no room for another", async () => {
  const folder = await temporaryFolder();
  const { disk, file } = openFullable(folder, "worker");
  const options = { coordinatorUrl: COORDINATOR };
  const outbox = createOutbox<string, string>({ ...options, file });
  outbox.open("one", "first");
  disk.isFull = true;
  expect(() => outbox.open("two", "second")).toThrow("full");
  disk.isFull = false;
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
  let tries = 0;
  const replace = (): never => {
    tries += 1;
    throw new Error("full");
  };
  const options = { coordinatorUrl: COORDINATOR };
  const outbox = createOutbox<never, string>({
    ...options,
    file: { ...file, journal: journalWith(file.journal, { replace }) },
  });
  const large = "x".repeat(1_100_000);
  for (const each of [large, "second", "third"]) outbox.add([{ ticket: "ticket", item: each }]);
  expect(tries).toBeGreaterThan(0);
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
  const { disk, file } = openFullable(folder, "client");
  const outbox = createOutbox<never, number>({
    file,
    coordinatorUrl: COORDINATOR,
  });
  disk.isFull = true;
  file.database.run("PRAGMA max_page_count = 1");
  for (let each = 1; each <= 10_003; each += 1) outbox.add([{ ticket: "ticket", item: each }]);
  expect(outbox.unsentCount).toBe(10_000);
  expect(outbox.unsent(1).map(({ item }) => item)).toEqual([4]);
  outbox.close();
});
