import type { Outcome } from "../outcome";
import { type RowCheck, rowIsRight } from "./freivalds";
import { matrixRow, SIZE } from "./matrix";
import { sameBytes } from "./merkle";
import { DIGEST_BYTES, digestRow } from "./row-digest";
import { cut, digestIn, readLeaves } from "./row-leaves";

export type RowsCommitted = {
  readonly rows: number;
  readonly root: Uint8Array;
};

export type RowsOpened = {
  readonly rows: Uint8Array;
  readonly leaves: Uint8Array;
  readonly path: Uint8Array;
};

export type OpeningRefusal = {
  readonly reason: "opening_malformed" | "not_committed" | "wrong_result";
};

/**
 * Whether what a node opens is what it committed to, and right. `open`: the rows that were asked for, ascending; `keyA`: of
 * the rows of A that are this node's in this run.
 */
export function checkRows(
  open: readonly number[],
  committed: RowsCommitted,
  opened: RowsOpened,
  keyA: Uint8Array,
  check: RowCheck,
): Outcome<undefined, OpeningRefusal> {
  const rows = cut(opened.rows, SIZE);
  if (rows?.length !== open.length) return { ok: false, reason: "opening_malformed" };
  const tree = { digests: committed.rows, root: committed.root };
  const leaves = readLeaves(open, tree, opened);
  if (leaves === undefined) return { ok: false, reason: "not_committed" };
  for (const [place, row] of rows.entries()) {
    const number = open[place] ?? 0;
    const digest = new Uint8Array(DIGEST_BYTES);
    digestRow(row, digest, 0);
    if (!sameBytes(digest, digestIn(leaves, number))) return { ok: false, reason: "not_committed" };
    if (!rowIsRight(matrixRow(keyA, number), row, check)) {
      return { ok: false, reason: "wrong_result" };
    }
  }
  return { ok: true, value: undefined };
}
