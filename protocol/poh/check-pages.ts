import { pagesOf } from "../hardware";
import type { Outcome } from "../outcome";
import type { OpeningRefusal, RowsCommitted } from "./check-rows";
import { type RowCheck, rowIsRight } from "./freivalds";
import { matrixRow, SIZE } from "./matrix";
import { HASH_BYTES, leavesLeadTo, sameBytes } from "./merkle";
import { digestPage, PAGE_BYTES, passKey, passStream, ROWS_PER_PAGE } from "./page-digest";
import { DIGEST_BYTES, digestRow } from "./row-digest";
import { cut, digestIn, readLeaves, type ShownLeaves } from "./row-leaves";

export type PassesCommitted = {
  readonly tableRows: number;
  readonly passes: number;
  readonly root: Uint8Array;
};

export type PagesOpened = {
  readonly pages: Uint8Array;
  readonly leaves: Uint8Array;
  readonly path: Uint8Array;
  readonly digests: readonly { readonly leaf: Uint8Array; readonly path: Uint8Array }[];
  readonly roots: Uint8Array;
  readonly rootsPath: Uint8Array;
};

export type PageRun = {
  /** pass × pages of the table + page, ascending. */
  readonly open: readonly number[];
  /** What the coordinator issued once the rows were bound. */
  readonly key: Uint8Array;
  readonly rows: RowsCommitted;
  readonly passes: PassesCommitted;
};

type Place = { readonly pass: number; readonly page: number };

/** The numbers of an opening, as pass and page. */
export function placesOf(open: readonly number[], tableRows: number): Place[] {
  const pages = pagesOf(tableRows);
  return open.map((number) => ({ pass: Math.floor(number / pages), page: number % pages }));
}

/** Passes whose roots an opening shows, ascending: of each opened one, and of the one before it, which made its key. */
export function rootsShown(places: readonly Place[]): number[] {
  const passes = places.flatMap(({ pass }) => (pass === 0 ? [0] : [pass - 1, pass]));
  return [...new Set(passes)].toSorted((a, b) => a - b);
}

/**
 * Whether the opened pages hold rows that the node committed to, one right row each, and whether each pass's digest of its
 * page was made under the key that follows from the pass before.
 */
export function checkPages(
  run: PageRun,
  opened: PagesOpened,
  keyA: Uint8Array,
  check: RowCheck,
): Outcome<undefined, OpeningRefusal> {
  const places = placesOf(run.open, run.passes.tableRows);
  const pages = cut(opened.pages, PAGE_BYTES);
  if (pages?.length !== places.length || opened.digests.length !== places.length) {
    return { ok: false, reason: "opening_malformed" };
  }
  const rowNumbers = places.flatMap(({ page }) => rowsOf(page));
  const tree = { digests: run.rows.rows, root: run.rows.root };
  const leaves = readLeaves(rowNumbers, tree, opened);
  const roots = readRoots(run, places, opened);
  if (leaves === undefined || roots === undefined) return { ok: false, reason: "not_committed" };

  for (const [at, place] of places.entries()) {
    const page = pages[at] ?? new Uint8Array();
    if (!holdsCommittedRows(page, place.page, leaves)) {
      return { ok: false, reason: "not_committed" };
    }
    const before = roots.get(place.pass - 1);
    const stream = passStream(passKey(run.key, before));
    const digest = new Uint8Array(DIGEST_BYTES);
    digestPage(page, stream, digest, 0);
    const root = roots.get(place.pass);
    const shown = opened.digests[at];
    if (root === undefined || shown === undefined) {
      return { ok: false, reason: "opening_malformed" };
    }
    const digests = { digests: pagesOf(run.passes.tableRows), root };
    const stands = readLeaves([place.page], digests, { leaves: shown.leaf, path: shown.path });
    if (stands === undefined) return { ok: false, reason: "not_committed" };
    if (!sameBytes(digest, digestIn(stands, place.page))) {
      return { ok: false, reason: "wrong_result" };
    }
    const [first = 0] = rowsOf(place.page);
    if (!rowIsRight(matrixRow(keyA, first), page.subarray(0, SIZE), check)) {
      return { ok: false, reason: "wrong_result" };
    }
  }
  return { ok: true, value: undefined };
}

function readRoots(
  run: PageRun,
  places: readonly Place[],
  opened: PagesOpened,
): ReadonlyMap<number, Uint8Array> | undefined {
  const hashes = cut(opened.roots, HASH_BYTES);
  const path = cut(opened.rootsPath, HASH_BYTES);
  const passes = rootsShown(places);
  if (hashes === undefined || path === undefined || hashes.length !== passes.length) {
    return undefined;
  }
  const roots = new Map(
    passes.map((pass, at): [number, Uint8Array] => [pass, hashes[at] ?? new Uint8Array()]),
  );
  return leavesLeadTo(run.passes.root, run.passes.passes, roots, path) ? roots : undefined;
}

function holdsCommittedRows(page: Uint8Array, number: number, leaves: ShownLeaves): boolean {
  return rowsOf(number).every((row, at) => {
    const digest = new Uint8Array(DIGEST_BYTES);
    digestRow(page.subarray(at * SIZE, (at + 1) * SIZE), digest, 0);
    return sameBytes(digest, digestIn(leaves, row));
  });
}

function rowsOf(page: number): number[] {
  return Array.from({ length: ROWS_PER_PAGE }, (_, at) => page * ROWS_PER_PAGE + at);
}
