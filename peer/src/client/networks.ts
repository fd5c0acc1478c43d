import type { Candidate } from "#protocol/authorize";
import { type NetworkId, PUBLIC_NETWORK } from "#protocol/names";
import type { Membership } from "#protocol/network";
import type { Outcome } from "#protocol/outcome";
import { findNetwork } from "../home/find-network";
import type { Leases } from "./leases/leases";
import type { Models } from "./app/model-list";

/** What this client needs in order to use one network. */
export type Desk = { readonly leases: Leases; readonly models: Models };

/** Where a request goes, and by what name the model is known there. */
export type Pick = { readonly desk: Desk; readonly model: string };

export type PickRefusal = { readonly reason: "ambiguous" | "left"; readonly network: string };

export type Networks = {
  /** Where a request for a model of this name goes. A prefix counts only where it names a network of this client's; models may have slashes of their own. */
  pick(name: string): Outcome<Pick, PickRefusal>;
  /** The network that names without a prefix are of, and the others with their prefixes. */
  desks(): { readonly main: Desk; readonly others: ReadonlyMap<string, Desk> };
  /** Nodes that requests may go to now. */
  candidates(): Candidate[];
  /** Looks after all leases; called about once a second. */
  tend(): void;
};

export type NetworksOptions = {
  /** The one that names without a prefix are of. */
  readonly main: () => NetworkId;
  readonly memberships: () => readonly Membership[];
  readonly open: (network: NetworkId) => Desk;
};

export function createNetworks({ main, memberships, open }: NetworksOptions): Networks {
  const desks = new Map<NetworkId, Desk>();
  /** Names of networks that this client belonged to: what was meant for one of them goes nowhere else. */
  const former = new Set<string>();

  function deskOf(network: NetworkId): Desk {
    const desk = desks.get(network) ?? open(network);
    desks.set(network, desk);
    return desk;
  }

  return {
    pick(name) {
      const own = memberships();
      for (const one of own) former.add(one.name).add(one.network);
      const slash = name.indexOf("/");
      const prefix = name.slice(0, Math.max(0, slash));
      const found = findNetwork(own, prefix);
      if (found.ok) {
        return { ok: true, value: { desk: deskOf(found.value), model: name.slice(slash + 1) } };
      }
      if (found.reason === "ambiguous") return { ok: false, reason: "ambiguous", network: prefix };
      if (former.has(prefix)) return { ok: false, reason: "left", network: prefix };
      const network = main();
      if (!findNetwork(own, network).ok) return { ok: false, reason: "left", network };
      return { ok: true, value: { desk: deskOf(network), model: name } };
    },
    desks() {
      const own = memberships();
      const others = new Map<string, Desk>();
      for (const { network, name } of [{ network: PUBLIC_NETWORK, name: PUBLIC_NETWORK }, ...own]) {
        if (network === main()) continue;
        const isAmbiguous = own.filter((one) => one.name === name).length > 1;
        others.set(isAmbiguous ? network : name, deskOf(network));
      }
      return { main: deskOf(main()), others };
    },
    candidates: () => [...desks.values()].flatMap(({ leases }) => leases.candidates()),
    tend() {
      for (const { leases } of desks.values()) leases.tend();
    },
  };
}
