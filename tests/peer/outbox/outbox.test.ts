import { Database } from "bun:sqlite";
import { join } from "node:path";
import { expect, it } from "vitest";
import { CliError } from "#peer/cli/error";
import { openOutboxFile, outboxPath } from "#peer/outbox/outbox-file";
import { readOutbox } from "#peer/outbox/outbox-summary";
import { openReceiptOutbox } from "#peer/worker/serve/receipt-outbox";
import { temporaryFolder } from "../home/temporary-folder";
import { DONE, open, OPENED } from "./outbox-under-test";

function setAside(folder: string): unknown {
  using file = new Database(outboxPath(folder, "worker"), { readonly: true });
  return file.query("SELECT claims FROM refused").all();
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
  const folder = await temporaryFolder();
  const outbox = open(folder);
  const opened = (seq: number) => outbox.open("ticket", { ...OPENED, seq });
  const [first, second, third] = [opened(1), opened(2), opened(3)];
  opened(4);
  outbox.complete(third, { ...DONE, seq: 3 });
  outbox.complete(first, { ...DONE, seq: 1 });
  outbox.forget(second);
  // It is over, whatever is said of it.
  outbox.complete(first, { ...DONE, seq: 5 });
  outbox.forget(third);
  outbox.complete(second, { ...DONE, seq: 2 });
  expect(outbox.unsent(10).map(({ item }) => item.seq)).toEqual([3, 1]);
  expect(outbox.unsent(1).map(({ item }) => item.seq)).toEqual([3]);
  expect(readOutbox(folder, "worker")).toEqual({ waiting: 2, unfinished: 1, refused: [] });
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
  for (const seq of [1, 2, 3]) {
    outbox.complete(outbox.open("ticket", { ...OPENED, seq }), { ...DONE, seq });
  }
  outbox.open("ticket", { ...OPENED, seq: 4 });
  outbox.refuse(
    outbox.unsent(1).map(({ id }) => ({ id, code: "lease_unknown" })),
    1,
  );
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
    outbox.complete(outbox.open("ticket", { ...OPENED, seq }), { ...DONE, seq });
    const [{ id } = { id: -1 }] = outbox.unsent(1);
    outbox.refuse([{ id, code: "lease_unknown" }], nowMs);
  };
  refuse(1, OPENED.started_at_ms);
  refuse(2, OPENED.started_at_ms + 29 * 86_400_000);
  expect(readOutbox(folder, "worker")).toMatchObject({ refused: [{ count: 2 }] });
  refuse(3, OPENED.started_at_ms + 31 * 86_400_000);
  expect(readOutbox(folder, "worker")).toMatchObject({ refused: [{ count: 2 }] });
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
