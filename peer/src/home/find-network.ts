import { type NetworkId, PUBLIC_NETWORK } from "#protocol/names";
import type { Membership } from "#protocol/network";
import type { Outcome } from "#protocol/outcome";

export type NetworkNotFound =
  | { readonly reason: "unknown" }
  /** Several networks of the caller's have that name: only their ids tell them apart. */
  | { readonly reason: "ambiguous"; readonly ids: readonly NetworkId[] };

/** The network that a person means by a name or an id, among those that the person belongs to. */
export function findNetwork(
  memberships: readonly Pick<Membership, "network" | "name">[],
  wanted: string,
): Outcome<NetworkId, NetworkNotFound> {
  if (wanted === PUBLIC_NETWORK) return { ok: true, value: PUBLIC_NETWORK };
  const ids = memberships
    .filter(({ network, name }) => network === wanted || name === wanted)
    .map(({ network }) => network);
  const [id, ...others] = ids;
  if (id === undefined) return { ok: false, reason: "unknown" };
  return others.length === 0 ? { ok: true, value: id } : { ok: false, reason: "ambiguous", ids };
}
