import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { CliError } from "#peer/cli/error";
import { openOutbox, type Outbox, type ReceiptDraft } from "#peer/worker/outbox";
import { temporaryFolder } from "../home/temporary-folder";
import { type FakeClock, fakeClock } from "./fake-clock";

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
const DONE: ReceiptDraft = { ...OPENED, engine_ms: 12, outcome: "completed" };

function open(folder: string, clock: FakeClock = fakeClock()): Outbox {
  return openOutbox(folder, COORDINATOR, clock);
}

it("keeps a receipt until it is taken, across restarts", async () => {
  const folder = await temporaryFolder();
  const first = open(folder);
  first.complete(first.open("ticket", OPENED), DONE);
  expect(first.unsent(10)).toMatchObject([{ ticket: "ticket", draft: DONE }]);
  first.close();

  const second = open(folder);
  expect(second.unsentCount).toBe(1);
  const [receipt] = second.unsent(10);
  expect(receipt).toMatchObject({ ticket: "ticket", draft: DONE });
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
  expect(outbox.unsent(10).map(({ draft }) => draft.seq)).toEqual([1, 3]);
  expect(outbox.unsent(1).map(({ draft }) => draft.seq)).toEqual([1]);
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
  const other = openOutbox(folder, "https://other.example", fakeClock());
  expect([other.unsentCount, other.unsent(10)]).toEqual([0, []]);
  other.close();
  const again = open(folder);
  expect(again.unsent(10)).toHaveLength(1);
  again.close();
});

it("sets aside what is refused, with the reason", async () => {
  const outbox = open(await temporaryFolder());
  const id = outbox.open("ticket", OPENED);
  outbox.complete(id, DONE);
  expect(outbox.unsent(1)).toHaveLength(1);
  outbox.refuse([{ id, code: "lease_unknown" }], 1);
  expect([outbox.unsentCount, outbox.unsent(1)]).toEqual([0, []]);
  expect(outbox.refused()).toEqual([{ claims: JSON.stringify(DONE), code: "lease_unknown" }]);
  outbox.close();
});

it("has a receipt, with the time up to the last checkpoint, for what ran when the process was killed", async () => {
  const folder = await temporaryFolder();
  const module = pathToFileURL(
    join(import.meta.dirname, "../../../peer/src/worker/outbox.ts"),
  ).href;
  const script = `
    import { openOutbox } from ${JSON.stringify(module)};
    const outbox = openOutbox(${JSON.stringify(folder)}, ${JSON.stringify(COORDINATOR)}, { after: () => () => {} });
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
  expect(outbox.unsent(10).map(({ draft }) => draft)).toEqual([
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
