import { Database } from "bun:sqlite";
import { expect, it } from "vitest";
import { createOutbox } from "#peer/outbox/outbox";
import { openOutboxFile, outboxPath } from "#peer/outbox/outbox-file";
import { readOutbox } from "#peer/outbox/outbox-summary";
import { temporaryFolder } from "../home/temporary-folder";
import {
  COORDINATOR,
  DONE,
  openFullable,
  journalWith,
  killedAfter,
  MANY,
  open,
  OPENED,
} from "./outbox-under-test";

it("has what ended at once, also when the process is killed then, and nothing of what is over", async () => {
  const folder = await temporaryFolder();
  await killedAfter(
    folder,
    `const ids = [1, 2, 3, 4].map((seq) => outbox.open("ticket", { ...opened, seq }));
    for (const seq of [1, 2, 4]) outbox.complete(ids[seq - 1], { ...done, seq });
    outbox.forget(ids[2]);
    outbox.remove(outbox.unsent(1).map(({ id }) => id));`,
  );
  expect(readOutbox(folder, "worker")).toEqual({ waiting: 2, unfinished: 0, refused: [] });
  const outbox = open(folder);
  expect(outbox.unsent(10).map(({ item }) => item)).toEqual([
    { ...DONE, seq: 2 },
    { ...DONE, seq: 4 },
  ]);
  outbox.close();
});

it("loses none and doubles none of many when it is killed", async () => {
  const folder = await temporaryFolder();
  await killedAfter(
    folder,
    `for (let seq = 1; seq <= ${MANY}; seq += 1) {
      outbox.complete(outbox.open("ticket", { ...opened, seq }), { ...done, seq });
      if (seq % 425 === 0) outbox.remove(outbox.unsent(100).map(({ id }) => id));
    }`,
  );
  const outbox = open(folder);
  const seqs = outbox.unsent(MANY).map(({ item }) => item.seq);
  expect(seqs).toEqual(Array.from({ length: MANY - 400 }, (_, at) => at + 401));
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

it("writes what is added together at once, and has each of it after a crash", async () => {
  const folder = await temporaryFolder();
  const file = openOutboxFile(folder, "client");
  let writes = 0;
  const append = (line: string): void => {
    writes += 1;
    file.journal.append(line);
  };
  const outbox = createOutbox<never, number>({
    file: { ...file, journal: journalWith(file.journal, { append }) },
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
  const { disk, file } = openFullable(folder, "client");
  const options = { coordinatorUrl: COORDINATOR };
  const outbox = createOutbox<never, number>({ ...options, file });
  const all = Array.from({ length: 1_001 }, (_, at) => at);
  for (const each of all) {
    disk.isFull = each === 1_000;
    outbox.add([{ ticket: "ticket", item: each }]);
  }
  outbox.close();
  expect(readOutbox(folder, "client")).toMatchObject({ waiting: 1_250 });
  const again = createOutbox<never, number>({
    ...options,
    file: openOutboxFile(folder, "client"),
  });
  expect(again.unsent(2_000).map(({ item }) => item)).toEqual(all.slice(0, 1_000));
  again.close();
});
