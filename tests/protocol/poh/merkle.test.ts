import fc from "fast-check";
import { expect, it } from "vitest";
import { buildTree, leafHash, leavesLeadTo, proveLeaves, rootOf } from "#protocol/poh/merkle";

const leavesOf = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, leaf) => leafHash(Uint8Array.of(leaf & 255, leaf >> 8)));

const shape = fc
  .integer({ min: 1, max: 70 })
  .chain((size) =>
    fc.tuple(fc.constant(size), fc.uniqueArray(fc.nat({ max: size - 1 }), { minLength: 1 })),
  );

it("proves any leaves of any tree, and no leaf that is another's", () => {
  fc.assert(
    fc.property(shape, ([size, places]) => {
      const leaves = leavesOf(size);
      const levels = buildTree(leaves);
      const shown = new Map(places.map((place) => [place, leaves[place] ?? new Uint8Array()]));
      const proof = proveLeaves(levels, places);
      expect(leavesLeadTo(rootOf(levels), size, shown, proof)).toBe(true);
      for (const place of places) {
        const wrong = new Map(shown).set(place, leafHash(Uint8Array.of(1, 2, 3)));
        expect(leavesLeadTo(rootOf(levels), size, wrong, proof)).toBe(false);
      }
      expect(
        leavesLeadTo(rootOf(levels), size, shown, [...proof, leafHash(new Uint8Array())]),
      ).toBe(false);
      if (proof.length > 0) {
        expect(leavesLeadTo(rootOf(levels), size, shown, proof.slice(1))).toBe(false);
      }
    }),
  );
});

it("finds no place for a leaf beyond the tree, and needs one leaf", () => {
  const leaves = leavesOf(3);
  const levels = buildTree(leaves);
  const known = leaves[2] ?? new Uint8Array();
  const proof = proveLeaves(levels, [2]);
  expect(leavesLeadTo(rootOf(levels), 3, new Map([[2, known]]), proof)).toBe(true);
  expect(
    leavesLeadTo(
      rootOf(levels),
      3,
      new Map([
        [2, known],
        [3, known],
      ]),
      proof,
    ),
  ).toBe(false);
  expect(leavesLeadTo(rootOf(levels), 3, new Map(), proof)).toBe(false);
});
