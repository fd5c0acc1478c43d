import { Database } from "bun:sqlite";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ReceiptClaims } from "#protocol/receipt";
import { expect, it } from "vitest";
import { CliError } from "#peer/cli/error";
import { createOutbox } from "#peer/outbox/outbox";
import { openOutboxFile, outboxPath } from "#peer/outbox/outbox-file";
import { readOutbox } from "#peer/outbox/outbox-summary";
import { openReceiptOutbox, type ReceiptOutbox } from "#peer/worker/serve/receipt-outbox";
import { temporaryFolder } from "../home/temporary-folder";
import { type FakeClock, fakeClock } from "../worker/fake-clock";

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

function open(folder: string, clock: FakeClock = fakeClock()): ReceiptOutbox {
  return openReceiptOutbox(folder, COORDINATOR, clock);
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

it("hands out the oldest first, and none that still runs or never ran", async () => {
  const outbox = open(await temporaryFolder());
  const ids = [1, 2, 3, 4].map((seq) => outbox.open("ticket", { ...OPENED, seq }));
  outbox.complete(ids[2] ?? -1, { ...DONE, seq: 3 });
  outbox.complete(ids[0] ?? -1, { ...DONE, seq: 1 });
  outbox.forget(ids[1] ?? -1);
  expect(outbox.unsent(10).map(({ item }) => item.seq)).toEqual([1, 3]);
  expect(outbox.unsent(1).map(({ item }) => item.seq)).toEqual([1]);
  outbox.close();
});

it("writes what ended a moment later by itself", async () => {
  const folder = await temporaryFolder();
  const clock = fakeClock();
  const outbox = open(folder, clock);
  outbox.complete(outbox.open("ticket", OPENED), DONE);
  expect(clock.due).toHaveLength(1);
  clock.advance(100);
  expect(clock.due).toHaveLength(0);
  expect(outbox.unsentCount).toBe(1);
  outbox.close();
});

it("keeps other coordinators' receipts for their time", async () => {
  const folder = await temporaryFolder();
  const one = open(folder);
  one.complete(one.open("ticket", OPENED), DONE);
  one.close();
  const other = openReceiptOutbox(folder, "https://other.example", fakeClock());
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
  const script = `
    import { openReceiptOutbox } from ${JSON.stringify(MODULE)};
    const outbox = openReceiptOutbox(${JSON.stringify(folder)}, ${JSON.stringify(COORDINATOR)}, { after: () => () => {} });
    outbox.open("ticket", ${JSON.stringify(OPENED)});
    outbox.checkpoint(${OPENED.started_at_ms + 5_000});
    outbox.open("ticket", ${JSON.stringify({ ...OPENED, seq: 2, started_at_ms: OPENED.started_at_ms + 5_500 })});
    process.kill(process.pid, "SIGKILL");
  `;
  const killed = Bun.spawn([process.execPath, "-e", script], { stderr: "pipe" });
  await killed.exited;
  expect(await new Response(killed.stderr).text()).toBe("");
  expect(killed.signalCode).toBe("SIGKILL");

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
    const outbox = openReceiptOutbox(${JSON.stringify(folder)}, ${JSON.stringify(COORDINATOR)}, { after: () => () => {} });
    const opened = ${JSON.stringify(OPENED)};
    let kept = 0;
    let failure;
    while (failure === undefined && kept < 10_000) {
      try { outbox.open("ticket".repeat(100), { ...opened, seq: kept }); kept += 1; } catch (error) { failure = error.code; }
    }
    // What ends now cannot be written; nothing breaks.
    outbox.complete(1, { ...opened, seq: 0, engine_ms: 1, outcome: "completed" });
    outbox.unsent(1);
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
  expect(failure).toMatch(/^SQLITE_(IOERR|FULL)/);
  expect(kept).toBeGreaterThan(10);

  const outbox = open(folder);
  const seqs = outbox.unsent(10_000).map(({ item }) => item.seq);
  expect(seqs).toEqual(Array.from({ length: kept }, (_, seq) => seq));
  outbox.close();
});

it("says that there is no room for what is added, and writes it when there is", async () => {
  const folder = await temporaryFolder();
  const clock = fakeClock();
  const file = openOutboxFile(folder, "client");
  let full = 0;
  const outbox = createOutbox<never, string>({
    file,
    coordinatorUrl: COORDINATOR,
    clock,
    onFull: () => (full += 1),
  });
  file.database.run("PRAGMA max_page_count = 1");
  outbox.add("ticket", "x".repeat(10_000));
  clock.advance(50);
  expect(full).toBe(1);
  outbox.add("ticket", "second");
  expect([outbox.unsent(10), outbox.unsentCount]).toEqual([[], 2]);
  file.database.run("PRAGMA max_page_count = 1000");
  expect(outbox.unsent(10).map(({ item }) => item)).toEqual(["x".repeat(10_000), "second"]);
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
