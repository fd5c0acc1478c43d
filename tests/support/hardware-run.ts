import { DIGESTS_PER_LEAF } from "#protocol/hardware";
import type { PagesOpened } from "#protocol/poh/check-pages";
import { placesOf } from "#protocol/poh/check-pages";
import type { RowsOpened } from "#protocol/poh/check-rows";
import { keyOfA, matrixB, SIZE } from "#protocol/poh/matrix";
import { buildTree, rootOf } from "#protocol/poh/merkle";
import { joined, showLeaves, showPasses, treeOfDigests } from "#protocol/poh/openings";
import {
  digestPage,
  PAGE_BYTES,
  passKey,
  passStream,
  ROWS_PER_PAGE,
} from "#protocol/poh/page-digest";
import { DIGEST_BYTES, digestRow } from "#protocol/poh/row-digest";
import { openCpuKernel, packPanels, WIDE_ROW_BYTES } from "#peer/hardware/cpu-kernel";

export const SEED = new Uint8Array(32).fill(7);
export const NONCE = new Uint8Array(32).fill(9);

/** Rows of C as a node has them, for tests to bind, to open and to get wrong. */
export type Rows = readonly Uint8Array[];

const PANELS_AT = 65_536;
const A_AT = PANELS_AT + 2 * SIZE * SIZE;
const C_AT = A_AT + DIGESTS_PER_LEAF * WIDE_ROW_BYTES;

/** The right rows, by the kernel; a multiple of 64. */
export function computeRows(
  count: number,
  { nonce = NONCE, nodeId, seed = SEED }: { nonce?: Uint8Array; nodeId: string; seed?: Uint8Array },
): Uint8Array[] {
  const memory = new WebAssembly.Memory({ initial: 1 + C_AT / 65_536 });
  const kernel = openCpuKernel(memory);
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(keyOfA(nonce, nodeId));
  new Uint16Array(memory.buffer, PANELS_AT, SIZE * SIZE).set(packPanels(matrixB(seed)));
  return Array.from({ length: count / DIGESTS_PER_LEAF }, (_, leaf) => {
    kernel.rows(0, leaf * DIGESTS_PER_LEAF, DIGESTS_PER_LEAF, A_AT);
    kernel.multiply(A_AT, PANELS_AT, C_AT, DIGESTS_PER_LEAF);
    return Array.from({ length: DIGESTS_PER_LEAF }, (__, row) =>
      bytes.slice(C_AT + row * SIZE, C_AT + (row + 1) * SIZE),
    );
  }).flat();
}

export function digestsOf(rows: Rows): Uint8Array<ArrayBuffer> {
  const digests = new Uint8Array(rows.length * DIGEST_BYTES);
  for (const [place, row] of rows.entries()) digestRow(row, digests, place * DIGEST_BYTES);
  return digests;
}

/** Binds rows and opens some; `bound` are the rows that were digested, where they differ from those that are shown. */
export function bindRows(rows: Rows, bound: Rows = rows) {
  const tree = treeOfDigests(digestsOf(bound));
  const open = (numbers: readonly number[]): RowsOpened => ({
    rows: joined(numbers.map((number) => rows[number] ?? new Uint8Array(SIZE))),
    ...showLeaves(tree, numbers),
  });
  return { tree, committed: { rows: bound.length, root: tree.root }, open };
}

/** Reads the table of `rows` so many times, each time under the key that the time before makes. */
export function bindPasses(rows: Rows, passes: number, issued: Uint8Array) {
  const pages = Array.from({ length: rows.length / ROWS_PER_PAGE }, (_, page) =>
    joined(rows.slice(page * ROWS_PER_PAGE, (page + 1) * ROWS_PER_PAGE)),
  );
  const made: { digests: Uint8Array; root: Uint8Array }[] = [];
  for (let pass = 0; pass < passes; pass++) {
    const digests = passOver(pages, passStream(passKey(issued, made[pass - 1]?.root)));
    made.push({ digests, root: treeOfDigests(digests).root });
  }
  return openPasses(rows, pages, made);
}

export function passOver(pages: Rows, stream: Uint8Array): Uint8Array {
  const digests = new Uint8Array(pages.length * DIGEST_BYTES);
  for (const [page, bytes] of pages.entries()) {
    digestPage(bytes, stream, digests, page * DIGEST_BYTES);
  }
  return digests;
}

/** The same over passes as they are, honest or not. */
export function openPasses(
  rows: Rows,
  pages: Rows,
  made: readonly { readonly digests: Uint8Array; readonly root: Uint8Array }[],
) {
  const { tree } = bindRows(rows);
  const roots = made.map(({ root }) => root);
  const digests = made.map((pass) => pass.digests);
  const committed = {
    tableRows: rows.length,
    passes: made.length,
    root: rootOf(buildTree(roots)),
  };
  const open = (numbers: readonly number[]): PagesOpened => {
    const places = placesOf(numbers, rows.length);
    const opened = places.flatMap(({ page }) =>
      Array.from({ length: ROWS_PER_PAGE }, (_, at) => page * ROWS_PER_PAGE + at),
    );
    return {
      pages: joined(places.map(({ page }) => pages[page] ?? new Uint8Array(PAGE_BYTES))),
      ...showLeaves(tree, opened),
      ...showPasses(numbers, rows.length, digests, roots),
    };
  };
  return { pages, made, committed, open };
}
