import type { Lease, Place } from "./lease";

/** Leases of one model that are used together, so that requests spread over more nodes than one lease names. */
const MOST_TOGETHER = 4;

/** The leases that new requests may use, by model: a first one, and those beside it. */
export type LeasePool = {
  first(model: string): Lease | undefined;
  /** In place of the first one, which is forgotten or goes beside. */
  putFirst(lease: Lease, before?: "beside"): void;
  readonly putBeside: (lease: Lease) => void;
  readonly remove: (lease: Lease) => void;
  readonly has: (lease: Lease) => boolean;
  isWide(model: string): boolean;
  models(): IterableIterator<string>;
  /** Where requests may go under `lease` and those beside; each node once. */
  readonly places: (lease: Lease) => readonly Place[];
};

export function createLeasePool(isUsable: (lease: Lease) => boolean): LeasePool {
  const leases = new Map<string, readonly Lease[]>();
  const of = (model: string): readonly Lease[] => leases.get(model) ?? [];

  function set(model: string, all: readonly Lease[]): void {
    if (all.length === 0) leases.delete(model);
    else leases.set(model, all.slice(0, MOST_TOGETHER));
  }
  function without(lease: Lease): readonly Lease[] {
    return of(lease.model).filter((one) => one !== lease);
  }

  return {
    first: (model) => of(model)[0],
    putFirst(lease, before) {
      const rest = without(lease);
      set(lease.model, [lease, ...(before === "beside" ? rest : rest.slice(1))]);
    },
    putBeside(lease) {
      const [first, ...rest] = without(lease);
      set(lease.model, first === undefined ? [lease] : [first, lease, ...rest]);
    },
    remove: (lease) => set(lease.model, without(lease)),
    has: (lease) => of(lease.model).includes(lease),
    isWide: (model) => of(model).length === MOST_TOGETHER,
    models: () => leases.keys(),
    places(lease) {
      const all = of(lease.model);
      if (all.length === 1 && all[0] === lease) return lease.places;
      const places = [...lease.places];
      const named = new Set(places.map(({ node }) => node.node_id));
      for (const one of all) {
        if (one === lease || !isUsable(one)) continue;
        for (const place of one.places) {
          if (!named.has(place.node.node_id)) places.push(place);
          named.add(place.node.node_id);
        }
      }
      return places;
    },
  };
}
