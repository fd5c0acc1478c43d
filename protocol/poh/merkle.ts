import { hashOf } from "./sha256";

export const HASH_BYTES = 32;

/** Leaves and inner nodes are hashed apart, so that neither can pass as the other. */
const LEAF = Uint8Array.of(0);
const INNER = Uint8Array.of(1);

export function leafHash(leaf: Uint8Array): Uint8Array {
  return hashOf(LEAF, leaf);
}

/**
 * A tree over leaves' hashes, level by level from the leaves up, the root last. A node without a neighbour goes up as it is.
 */
export function buildTree(leaves: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] {
  const levels: (readonly Uint8Array[])[] = [leaves];
  let level = leaves;
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let place = 0; place < level.length; place += 2) {
      const left = level[place] ?? LEAF;
      const right = level[place + 1];
      next.push(right === undefined ? left : hashOf(INNER, left, right));
    }
    levels.push(next);
    level = next;
  }
  return levels;
}

export function rootOf(levels: readonly (readonly Uint8Array[])[]): Uint8Array {
  const root = levels.at(-1)?.[0];
  if (root === undefined) throw new RangeError("A tree has at least one leaf.");
  return root;
}

/** What leads from the leaves at `places` to the root besides themselves, from the leaves up and from the left. */
export function proveLeaves(
  levels: readonly (readonly Uint8Array[])[],
  places: readonly number[],
): Uint8Array[] {
  const proof: Uint8Array[] = [];
  let known = sortedPlaces(places);
  for (const level of levels.slice(0, -1)) {
    for (const place of known) {
      const neighbour = level[place ^ 1];
      if (neighbour !== undefined && !known.includes(place ^ 1)) proof.push(neighbour);
    }
    known = sortedPlaces(known.map((place) => place >> 1));
  }
  return proof;
}

/** Whether leaves with these hashes, by place, stand in the tree of `size` leaves with that root. Takes the whole proof or none. */
export function leavesLeadTo(
  root: Uint8Array,
  size: number,
  leaves: ReadonlyMap<number, Uint8Array>,
  proof: readonly Uint8Array[],
): boolean {
  if ([...leaves.keys()].some((place) => place < 0 || place >= size)) return false;
  let level = leaves;
  let used = 0;
  for (let width = size; width > 1; width = (width + 1) >> 1) {
    const next = new Map<number, Uint8Array>();
    for (const place of sortedPlaces([...level.keys()])) {
      const above = place >> 1;
      const own = level.get(place);
      if (own === undefined || next.has(above)) continue;
      if ((place ^ 1) >= width) {
        next.set(above, own);
        continue;
      }
      const other = level.get(place ^ 1) ?? proof[used++];
      if (other === undefined) return false;
      next.set(above, place % 2 === 0 ? hashOf(INNER, own, other) : hashOf(INNER, other, own));
    }
    level = next;
  }
  return used === proof.length && sameBytes(level.get(0), root);
}

export function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined || a.length !== b.length) return false;
  return a.every((byte, place) => byte === b[place]);
}

function sortedPlaces(places: readonly number[]): number[] {
  return [...new Set(places)].toSorted((a, b) => a - b);
}
