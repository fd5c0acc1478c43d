import { expect, it } from "vitest";
import { checkPages, type PagesOpened } from "#protocol/poh/check-pages";
import { makeRowCheck } from "#protocol/poh/freivalds";
import { keyOfA } from "#protocol/poh/matrix";
import { treeOfDigests } from "#protocol/poh/openings";
import { passKey, passStream } from "#protocol/poh/page-digest";
import {
  bindPasses,
  bindRows,
  computeRows,
  NONCE,
  openPasses,
  passOver,
  type Rows,
  SEED,
} from "#support/hardware-run";

const NODE = "n".repeat(43);
const ISSUED = new Uint8Array(32).fill(4);
const PASSES = 5;
const PAGES = 256;
const check = makeRowCheck(SEED, new Uint8Array(32).fill(3));
const key = keyOfA(NONCE, NODE);
const rows = computeRows(1_024, { nodeId: NODE });
const bound = bindRows(rows);
const honest = bindPasses(rows, PASSES, ISSUED);
/** A page of each pass, the first pass's and the last among them. */
const OPEN = [0, PAGES + 7, 2 * PAGES + 100, 3 * PAGES + 255, 4 * PAGES + 64];
const refused = (reason: string) => ({ ok: false, reason });

type Made = Pick<typeof honest, "committed" | "open">;

function verdict(
  made: Made,
  change: (opened: PagesOpened) => PagesOpened = (same) => same,
  issued: Uint8Array = ISSUED,
  committedRows: typeof bound.committed = bound.committed,
) {
  const run = { open: OPEN, key: issued, rows: committedRows, passes: made.committed };
  return checkPages(run, change(made.open(OPEN)), key, check);
}

it("takes passes that were made one after the other over rows that were bound", () => {
  expect(verdict(honest)).toEqual({ ok: true, value: undefined });
});

it("takes a single pass over the smallest table", () => {
  const few = rows.slice(0, 64);
  const made = bindPasses(few, 1, ISSUED);
  const run = { open: [3], key: ISSUED, rows: bindRows(few).committed, passes: made.committed };
  expect(checkPages(run, made.open([3]), key, check)).toEqual({ ok: true, value: undefined });
});

it("refuses passes whose keys were made up to read the table once for all of them", () => {
  const roots = Array.from({ length: PASSES }, (_, pass) => new Uint8Array(32).fill(pass));
  const made = roots.map((_, pass) => {
    const digests = passOver(honest.pages, passStream(passKey(ISSUED, roots[pass - 1])));
    return { digests, root: treeOfDigests(digests).root };
  });
  expect(verdict(openPasses(rows, honest.pages, made))).toEqual(refused("wrong_result"));
});

it("refuses passes under a key that was issued to somebody else", () => {
  expect(verdict(honest, undefined, new Uint8Array(32).fill(5))).toEqual(refused("wrong_result"));
});

it("refuses a page that was not read in its pass", () => {
  const made = honest.made.map((pass, number) => {
    if (number !== PASSES - 1) return pass;
    const digests = pass.digests.slice().fill(0, 64 * 8, 65 * 8);
    return { digests, root: treeOfDigests(digests).root };
  });
  expect(verdict(openPasses(rows, honest.pages, made))).toEqual(refused("wrong_result"));
});

it("refuses a table that holds something else than the rows that were bound", () => {
  const zeros: Rows = rows.map((row) => new Uint8Array(row.length));
  expect(verdict(bindPasses(zeros, PASSES, ISSUED))).toEqual(refused("not_committed"));
});

it("refuses a table of wrong rows, also where they were bound", () => {
  const zeros: Rows = rows.map((row) => new Uint8Array(row.length));
  const committed = bindRows(zeros).committed;
  const made = bindPasses(zeros, PASSES, ISSUED);
  expect(verdict(made, undefined, ISSUED, committed)).toEqual(refused("wrong_result"));
});

it("refuses what was changed, cut or left out of an opening", () => {
  const flip = (bytes: Uint8Array) => bytes.with(0, (bytes[0] ?? 0) ^ 1);
  const none = new Uint8Array();
  const changes: [reason: string, (opened: PagesOpened) => PagesOpened][] = [
    ["not_committed", (opened) => ({ ...opened, pages: flip(opened.pages) })],
    ["not_committed", (opened) => ({ ...opened, leaves: flip(opened.leaves) })],
    ["not_committed", (opened) => ({ ...opened, path: opened.path.subarray(32) })],
    ["not_committed", (opened) => ({ ...opened, roots: flip(opened.roots) })],
    ["not_committed", (opened) => ({ ...opened, roots: opened.roots.subarray(32) })],
    ["not_committed", (opened) => ({ ...opened, roots: none, rootsPath: none })],
    ["not_committed", (opened) => ({ ...opened, rootsPath: new Uint8Array(32) })],
    ["not_committed", (opened) => ({ ...opened, rootsPath: new Uint8Array(31) })],
    [
      "not_committed",
      (opened) => ({
        ...opened,
        digests: opened.digests.map(({ leaf, path }) => ({ leaf: flip(leaf), path })),
      }),
    ],
    ["opening_malformed", (opened) => ({ ...opened, pages: opened.pages.subarray(4_096) })],
    ["opening_malformed", (opened) => ({ ...opened, pages: none })],
    ["opening_malformed", (opened) => ({ ...opened, digests: opened.digests.slice(1) })],
  ];
  for (const [reason, change] of changes) expect(verdict(honest, change)).toEqual(refused(reason));
});
