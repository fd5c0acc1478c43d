import type { ModelAliases } from "#protocol/model-alias";
import { PUBLIC_NETWORK } from "#protocol/names";
import type { Deps } from "./deps";
import { readStanding } from "./store/networks";

/** What a peer may see of a network's lists. */
export type NetworkView = {
  readonly shows: (model: string) => boolean;
  /** Other names of models. */
  readonly aliases: ModelAliases;
  /** Whether prices mean anything here. */
  readonly credits: boolean;
};

/** Undefined where the network is not there or not the peer's. */
export async function viewOf(
  { config, db }: Deps,
  peerId: string,
  network: string,
): Promise<NetworkView | undefined> {
  if (network === PUBLIC_NETWORK) {
    return { shows: () => true, aliases: config.modelAliases, credits: true };
  }
  const standing = await readStanding(db, peerId, network);
  if (standing === undefined) return undefined;
  const { allowed_models: allowed, aliases = {}, credits } = standing.policy;
  return { shows: (model) => allowed.length === 0 || allowed.includes(model), aliases, credits };
}
