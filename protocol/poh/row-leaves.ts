import { DIGESTS_PER_LEAF } from "../hardware";
import { HASH_BYTES, leafHash, leavesLeadTo } from "./merkle";
import { DIGEST_BYTES } from "./row-digest";

/** Leaves that were shown and lead to the root, by place; undefined where they do not. */
export type ShownLeaves = ReadonlyMap<number, Uint8Array>;

/** How many leaves so many digests make. */
export function leavesOf(digests: number): number {
  return Math.ceil(digests / DIGESTS_PER_LEAF);
}

/** Bytes of one leaf: the last may be short. */
export function leafBytes(leaf: number, digests: number): number {
  return Math.min(DIGESTS_PER_LEAF, digests - leaf * DIGESTS_PER_LEAF) * DIGEST_BYTES;
}

/** The leaves, ascending, in which these digests stand. */
export function leavesOfDigests(places: readonly number[]): number[] {
  const leaves = places.map((place) => Math.floor(place / DIGESTS_PER_LEAF));
  return [...new Set(leaves)].toSorted((a, b) => a - b);
}

/** Cuts `shown` into those leaves and checks that they stand in the tree over so many digests. */
export function readLeaves(
  places: readonly number[],
  tree: { readonly digests: number; readonly root: Uint8Array },
  shown: { readonly leaves: Uint8Array; readonly path: Uint8Array },
): ShownLeaves | undefined {
  const leaves = new Map<number, Uint8Array>();
  let at = 0;
  for (const leaf of leavesOfDigests(places)) {
    const length = leafBytes(leaf, tree.digests);
    leaves.set(leaf, shown.leaves.subarray(at, at + length));
    at += length;
  }
  if (at !== shown.leaves.length) return undefined;
  const path = cut(shown.path, HASH_BYTES);
  const hashes = new Map([...leaves].map(([place, leaf]) => [place, leafHash(leaf)]));
  if (path === undefined || !leavesLeadTo(tree.root, leavesOf(tree.digests), hashes, path)) {
    return undefined;
  }
  return leaves;
}

/** The digest at `place` of those that `leaves` hold. */
export function digestIn(leaves: ShownLeaves, place: number): Uint8Array | undefined {
  const leaf = leaves.get(Math.floor(place / DIGESTS_PER_LEAF));
  const at = (place % DIGESTS_PER_LEAF) * DIGEST_BYTES;
  return leaf?.subarray(at, at + DIGEST_BYTES);
}

/** Pieces of `size` bytes; undefined where something is left over. */
export function cut(whole: Uint8Array, size: number): Uint8Array[] | undefined {
  if (whole.length % size !== 0) return undefined;
  return Array.from({ length: whole.length / size }, (_, place) =>
    whole.subarray(place * size, (place + 1) * size),
  );
}
