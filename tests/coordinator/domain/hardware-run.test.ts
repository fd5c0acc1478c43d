import { describe, expect, it } from "vitest";
import { checkOpening, type HardwareRun, takeCommitment } from "#coordinator/domain/hardware-run";
import { MIN_COMPUTE_MS, MIN_MEMORY_MS, OPEN_WITHIN_MS } from "#protocol/hardware";
import { makeRowCheck } from "#protocol/poh/freivalds";
import { base64url } from "jose";
import { bindRows, computeRows, NONCE, SEED } from "#support/hardware-run";

const NODE = "n".repeat(43);
const ID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";
const ROOT = base64url.encode(new Uint8Array(32));
const check = makeRowCheck(SEED, new Uint8Array(32).fill(3));

const begun: HardwareRun = {
  stage: "compute",
  id: ID,
  epoch: 1,
  in_round: false,
  nonce: base64url.encode(NONCE),
  started_ms: 0,
};
const commitment = (rows: number, root: string = ROOT) =>
  ({ id: ID, part: "compute", rows, root }) as const;

/** Mulberry32, so that each run draws the same. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

function committed(rows: number, seed: number, atMs = 4_000) {
  const taken = takeCommitment(begun, commitment(rows), atMs, randomOf(seed));
  if (!taken.ok) throw new Error(taken.reason);
  return taken.value;
}

describe("a commitment", () => {
  it("is taken after three seconds and not before, and counts all the time that it took", () => {
    expect(takeCommitment(begun, commitment(2_000), MIN_COMPUTE_MS - 1, randomOf(1))).toEqual({
      ok: false,
      reason: "too_early",
    });
    expect(committed(2_000, 1, MIN_COMPUTE_MS).compute_ops).toBe(1_398_101_333);
    expect(committed(2_000, 1, 2 * MIN_COMPUTE_MS).compute_ops).toBe(699_050_666);
  });

  it("is asked to open 64 different rows of its own, others each time", () => {
    const { open } = committed(1_024, 1);
    expect(new Set(open).size).toBe(64);
    expect(open).toEqual(open.toSorted((a, b) => a - b));
    expect(open.every((row) => row >= 0 && row < 1_024)).toBe(true);
    expect(committed(1_024, 2).open).not.toEqual(open);
  });

  it("is of the part that is due", () => {
    const memory = { id: ID, part: "memory", table_rows: 64, passes: 1, root: ROOT } as const;
    expect(takeCommitment(begun, memory, 9_000, randomOf(1))).toEqual({
      ok: false,
      reason: "wrong_part",
    });
    const again = takeCommitment(committed(2_000, 1), commitment(2_000), 9_000, randomOf(1));
    expect(again).toEqual({ ok: false, reason: "wrong_part" });
  });

  it("of the memory part names no more rows than were bound, and counts what was read", () => {
    const run: HardwareRun = {
      ...begun,
      stage: "memory",
      compute_ops: 1,
      committed_rows: { rows: 1_024, root: ROOT },
      key: ROOT,
    };
    const said = { id: ID, part: "memory", table_rows: 1_024, passes: 3, root: ROOT } as const;
    const take = (more: object, atMs: number) =>
      takeCommitment(run, { ...said, ...more }, atMs, randomOf(1));
    expect(take({ table_rows: 1_088 }, 2_000)).toEqual({ ok: false, reason: "table_too_large" });
    expect(take({}, MIN_MEMORY_MS - 1)).toEqual({ ok: false, reason: "too_early" });
    const taken = take({}, 2_000);
    // 3 MiB in 2 seconds, of a table that is a 256th of the full one.
    expect(taken).toMatchObject({ ok: true, value: { memory_bytes: 6_144 } });
    const open = taken.ok ? taken.value.open : [];
    expect(open.length).toBe(24);
    expect(open.every((page) => page < 3 * 256)).toBe(true);
  });
});

describe("skipped rows", () => {
  // A commitment's leaves, of which each hundredth, twentieth … row was never computed.
  it.each([
    [1, 0.4],
    [5, 0.94],
    [10, 0.99],
    [50, 1],
  ])("of %i %% are among those to be opened in more than %d of all runs", (percent, least) => {
    const runs = 1_000;
    const isSkipped = (row: number) => (row * 7_919) % 100 < percent;
    let caught = 0;
    for (let seed = 0; seed < runs; seed++) {
      if (committed(100_000, seed).open.some(isSkipped)) caught += 1;
    }
    expect(caught / runs).toBeGreaterThanOrEqual(least);
  });

  const rows = computeRows(1_024, { nodeId: NODE });

  it.each([1, 5, 10, 50])("of %i %% are refused where one is opened", (percent) => {
    const skipped = (row: number) => row % Math.round(100 / percent) === 0;
    const bound = rows.map((row, number) => (skipped(number) ? new Uint8Array(row.length) : row));
    const { committed: made, open } = bindRows(rows, bound);
    const root = base64url.encode(made.root);
    const verdictOf = (seed: number) => {
      const taken = takeCommitment(begun, commitment(1_024, root), 4_000, randomOf(seed));
      if (!taken.ok) throw new Error(taken.reason);
      const opened = open(taken.value.open);
      const said = { id: ID, part: "compute", ...textOf(opened) } as const;
      const isHit = taken.value.open.some(skipped);
      return { isHit, ...checkOpening(taken.value, said, NODE, () => check, 4_001) };
    };
    for (let seed = 0; seed < 12; seed++) {
      const { isHit, ...verdict } = verdictOf(seed);
      if (isHit) expect(verdict).toEqual({ ok: false, reason: "not_committed" });
      else expect(verdict.ok).toBe(true);
    }
  });
});

describe("an opening", () => {
  const bound = bindRows(computeRows(1_024, { nodeId: NODE }));
  const root = base64url.encode(bound.tree.root);
  const taken = takeCommitment(begun, commitment(1_024, root), 4_000, randomOf(3));
  if (!taken.ok) throw new Error(taken.reason);
  const run = taken.value;
  const said = { id: ID, part: "compute", ...textOf(bound.open(run.open)) } as const;

  it("is taken within five seconds and not later", () => {
    const at = (ms: number) => checkOpening(run, said, NODE, () => check, 4_000 + ms);
    expect(at(OPEN_WITHIN_MS).ok).toBe(true);
    expect(at(OPEN_WITHIN_MS + 1)).toEqual({ ok: false, reason: "opened_late" });
  });

  it("is refused in the name of another node", () => {
    const verdict = checkOpening(run, said, "o".repeat(43), () => check, 4_001);
    expect(verdict).toEqual({ ok: false, reason: "wrong_result" });
  });

  it("is refused before anything was bound", () => {
    const verdict = checkOpening(begun, said, NODE, () => check, 4_001);
    expect(verdict).toEqual({ ok: false, reason: "wrong_part" });
  });
});

function textOf({ rows, leaves, path }: Record<"rows" | "leaves" | "path", Uint8Array>) {
  return {
    rows: base64url.encode(rows),
    leaves: base64url.encode(leaves),
    path: base64url.encode(path),
  };
}
