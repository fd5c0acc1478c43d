import {
  type CommitRequest,
  MIN_COMPUTE_MS,
  MIN_MEMORY_MS,
  OPEN_WITHIN_MS,
  OPENED_PAGES,
  OPENED_ROWS,
  type OpenRequest,
  pagesOf,
} from "#protocol/hardware";
import type { Outcome } from "#protocol/outcome";
import { checkPages } from "#protocol/poh/check-pages";
import { checkRows, type OpeningRefusal } from "#protocol/poh/check-rows";
import type { RowCheck } from "#protocol/poh/freivalds";
import { keyOfA, OPERATIONS_PER_ROW, SIZE } from "#protocol/poh/matrix";
import { base64url } from "jose";
import { z } from "zod";
import { isInRound } from "./hardware-round";
import { memoryRate } from "./hardware-score";

const Rows = z.object({ rows: z.int(), root: z.string() });
const Open = z.array(z.int());
const shared = {
  id: z.string(),
  epoch: z.int(),
  in_round: z.boolean(),
  nonce: z.string(),
  /** When the part's time began, and when its commitment was answered. */
  started_ms: z.int(),
};
const measured = { compute_ops: z.int(), committed_rows: Rows, key: z.string() };

/** One run of a node, as Redis keeps it between two of its calls. */
export const HardwareRun = z.discriminatedUnion("stage", [
  z.object({ ...shared, stage: z.literal("compute") }),
  z.object({
    ...shared,
    stage: z.literal("compute_committed"),
    committed: Rows,
    open: Open,
    asked_ms: z.int(),
    compute_ops: z.int(),
  }),
  z.object({ ...shared, ...measured, stage: z.literal("memory") }),
  z.object({
    ...shared,
    ...measured,
    stage: z.literal("memory_committed"),
    passes: z.object({ table_rows: z.int(), passes: z.int(), root: z.string() }),
    open: Open,
    asked_ms: z.int(),
    memory_bytes: z.int(),
  }),
]);
export type HardwareRun = z.infer<typeof HardwareRun>;
export type Stage = HardwareRun["stage"];
type At<S extends Stage> = Extract<HardwareRun, { stage: S }>;
export type Committed = At<"compute_committed"> | At<"memory_committed">;

/** A run that is asked for now, in the epoch whose round is at that moment. */
export function beginRun(
  epoch: { readonly epoch: number; readonly roundAtMs: number },
  { id, nonce }: { readonly id: string; readonly nonce: string },
  nowMs: number,
): HardwareRun {
  const in_round = isInRound(epoch.roundAtMs, nowMs);
  // A round's time begins with the round, also for who asks late: otherwise a machine could compute as one identity until
  // no more may ask, and then as another.
  const started_ms = in_round ? Math.min(epoch.roundAtMs, nowMs) : nowMs;
  return { stage: "compute", id, epoch: epoch.epoch, in_round, nonce, started_ms };
}

export type CommitRefusal = { readonly reason: "wrong_part" | "too_early" | "table_too_large" };

/** Takes a commitment: what it bound, how fast that was, and which parts of it are to be opened. */
export function takeCommitment(
  run: HardwareRun,
  said: CommitRequest,
  nowMs: number,
  random: (below: number) => number,
): Outcome<Committed, CommitRefusal> {
  const elapsedMs = nowMs - run.started_ms;
  if (run.stage === "compute" && said.part === "compute") {
    if (elapsedMs < MIN_COMPUTE_MS) return { ok: false, reason: "too_early" };
    const operations = said.rows * OPERATIONS_PER_ROW;
    const value = {
      ...run,
      stage: "compute_committed" as const,
      committed: { rows: said.rows, root: said.root },
      open: draw(OPENED_ROWS, said.rows, random),
      asked_ms: nowMs,
      compute_ops: Math.floor((operations / elapsedMs) * 1_000),
    };
    return { ok: true, value };
  }
  if (run.stage === "memory" && said.part === "memory") {
    if (elapsedMs < MIN_MEMORY_MS) return { ok: false, reason: "too_early" };
    if (said.table_rows > run.committed_rows.rows) return { ok: false, reason: "table_too_large" };
    const pages = pagesOf(said.table_rows) * said.passes;
    const bytesRead = said.table_rows * SIZE * said.passes;
    const value = {
      ...run,
      stage: "memory_committed" as const,
      passes: { table_rows: said.table_rows, passes: said.passes, root: said.root },
      open: draw(Math.min(OPENED_PAGES, pages), pages, random),
      asked_ms: nowMs,
      memory_bytes: memoryRate(said.table_rows, bytesRead, elapsedMs),
    };
    return { ok: true, value };
  }
  return { ok: false, reason: "wrong_part" };
}

export type OpenRefusal = OpeningRefusal | { readonly reason: "wrong_part" | "opened_late" };

/** Whether what a node opens in time is what it bound, and right. */
export function checkOpening(
  run: HardwareRun,
  said: OpenRequest,
  nodeId: string,
  check: () => RowCheck,
  nowMs: number,
): Outcome<Committed, OpenRefusal> {
  if (run.stage !== `${said.part}_committed`) return { ok: false, reason: "wrong_part" };
  if (!("open" in run)) return { ok: false, reason: "wrong_part" };
  if (nowMs - run.asked_ms > OPEN_WITHIN_MS) return { ok: false, reason: "opened_late" };
  const checked = checkPart(run, said, keyOfA(bytes(run.nonce), nodeId), check());
  return checked.ok ? { ok: true, value: run } : checked;
}

function checkPart(run: Committed, said: OpenRequest, keyA: Uint8Array, check: RowCheck) {
  const leaves = { leaves: bytes(said.leaves), path: bytes(said.path) };
  if (run.stage === "compute_committed" && said.part === "compute") {
    const opened = { rows: bytes(said.rows), ...leaves };
    return checkRows(run.open, rowsOf(run.committed), opened, keyA, check);
  }
  if (run.stage === "memory_committed" && said.part === "memory") {
    const { table_rows: tableRows, passes, root } = run.passes;
    const asked = {
      open: run.open,
      key: bytes(run.key),
      rows: rowsOf(run.committed_rows),
      passes: { tableRows, passes, root: bytes(root) },
    };
    const opened = {
      pages: bytes(said.pages),
      ...leaves,
      digests: said.digests.map(({ leaf, path }) => ({ leaf: bytes(leaf), path: bytes(path) })),
      roots: bytes(said.roots),
      rootsPath: bytes(said.roots_path),
    };
    return checkPages(asked, opened, keyA, check);
  }
  return { ok: false as const, reason: "wrong_part" as const };
}

function rowsOf({ rows, root }: z.infer<typeof Rows>) {
  return { rows, root: bytes(root) };
}

function bytes(text: string): Uint8Array {
  return base64url.decode(text);
}

/** So many different numbers below `below`, ascending. `random` draws one below what it is given. */
function draw(count: number, below: number, random: (below: number) => number): number[] {
  const drawn = new Set<number>();
  while (drawn.size < count) drawn.add(random(below));
  return [...drawn].toSorted((a, b) => a - b);
}
