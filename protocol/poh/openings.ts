import { DIGESTS_PER_LEAF } from "../hardware";
import { placesOf, rootsShown } from "./check-pages";
import { buildTree, leafHash, proveLeaves, rootOf } from "./merkle";
import { DIGEST_BYTES } from "./row-digest";
import { leafBytes, leavesOf, leavesOfDigests } from "./row-leaves";

/** Digests, one behind the other, with the tree over their leaves. */
export type DigestTree = {
  readonly digests: Uint8Array;
  readonly root: Uint8Array;
  readonly levels: readonly (readonly Uint8Array[])[];
};

export function treeOfDigests(digests: Uint8Array): DigestTree {
  const count = digests.length / DIGEST_BYTES;
  const hashes = Array.from({ length: leavesOf(count) }, (_, leaf) =>
    leafHash(leafOf(digests, leaf)),
  );
  const levels = buildTree(hashes);
  return { digests, levels, root: rootOf(levels) };
}

/** The leaves in which these digests stand, and what leads from them to the root. */
export function showLeaves(
  tree: DigestTree,
  places: readonly number[],
): { leaves: Uint8Array; path: Uint8Array } {
  const leaves = leavesOfDigests(places);
  return {
    leaves: joined(leaves.map((leaf) => leafOf(tree.digests, leaf))),
    path: joined(proveLeaves(tree.levels, leaves)),
  };
}

/** One digest's leaf, and what leads from it to the root of the digests' tree. */
function showOne(digests: Uint8Array, place: number): { leaf: Uint8Array; path: Uint8Array } {
  const { leaves, path } = showLeaves(treeOfDigests(digests), [place]);
  return { leaf: leaves, path };
}

/** What an opening of the memory part shows besides pages and rows' leaves. `passes`: each one's digests of all pages. */
export function showPasses(
  open: readonly number[],
  tableRows: number,
  passes: readonly Uint8Array[],
  roots: readonly Uint8Array[],
): {
  digests: { leaf: Uint8Array; path: Uint8Array }[];
  roots: Uint8Array;
  rootsPath: Uint8Array;
} {
  const places = placesOf(open, tableRows);
  const shown = rootsShown(places);
  return {
    digests: places.map(({ pass, page }) => showOne(passes[pass] ?? new Uint8Array(), page)),
    roots: joined(shown.map((pass) => roots[pass] ?? new Uint8Array())),
    rootsPath: joined(proveLeaves(buildTree(roots), shown)),
  };
}

export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function leafOf(digests: Uint8Array, leaf: number): Uint8Array {
  const at = leaf * DIGESTS_PER_LEAF * DIGEST_BYTES;
  return digests.subarray(at, at + leafBytes(leaf, digests.length / DIGEST_BYTES));
}
