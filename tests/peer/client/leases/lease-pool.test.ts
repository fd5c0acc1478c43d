import { expect, it } from "vitest";
import type { Lease } from "#peer/client/leases/lease";
import { createLeasePool } from "#peer/client/leases/lease-pool";

const unusable = new Set<Lease>();

function lease(...nodes: readonly string[]): Lease {
  const one: { model: string; places: unknown } = { model: "m", places: [] };
  one.places = nodes.map((node_id) => ({ node: { node_id }, lease: one }));
  return one as Lease; // Only what a pool looks at.
}
const poolOf = () => createLeasePool((one) => !unusable.has(one));
const idsOf = (pool: ReturnType<typeof poolOf>, one: Lease) =>
  pool.places(one).map(({ node }) => node.node_id);

it("offers the nodes of all leases, each once, those of the lease in hand first", () => {
  const pool = poolOf();
  const [one, two] = [lease("a", "b"), lease("b", "c")];
  pool.putFirst(one);
  expect(pool.places(one)).toBe(one.places);
  pool.putBeside(two);
  expect(pool.first("m")).toBe(one);
  expect(idsOf(pool, one)).toEqual(["a", "b", "c"]);
  expect(pool.places(one).map((place) => place.lease)).toEqual([one, one, two]);
  expect(idsOf(pool, two)).toEqual(["b", "c", "a"]);
});

it("offers no nodes of a lease beside that is spent or has ended", () => {
  const pool = poolOf();
  const [one, two] = [lease("a"), lease("b")];
  pool.putFirst(one);
  pool.putBeside(two);
  unusable.add(two);
  expect(idsOf(pool, one)).toEqual(["a"]);
  unusable.clear();
});

it("forgets the first lease for another, or keeps it beside", () => {
  const pool = poolOf();
  const [one, two, three] = [lease("a"), lease("b"), lease("c")];
  pool.putFirst(one);
  pool.putFirst(two);
  expect(pool.has(one)).toBe(false);
  pool.putFirst(three, "beside");
  expect([pool.first("m"), pool.has(two)]).toEqual([three, true]);
  pool.remove(three);
  expect(pool.first("m")).toBe(two);
  pool.remove(two);
  expect([pool.first("m"), [...pool.models()]]).toEqual([undefined, []]);
});

it("holds four of a model at most, the latest beside the first", () => {
  const pool = poolOf();
  const all = ["a", "b", "c", "d", "e"].map((id) => lease(id));
  for (const one of all) pool.putBeside(one);
  expect(pool.isWide("m")).toBe(true);
  expect(idsOf(pool, all[0] ?? lease())).toEqual(["a", "e", "d", "c"]);
});
