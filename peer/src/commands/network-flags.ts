import { z } from "zod";
import { type NetworkId, PUBLIC_NETWORK } from "#protocol/names";
import type { Network } from "#protocol/network";
import type { CommandContext } from "../cli/context";
import { CliError, EXIT } from "../cli/error";
import type { FlagSpec } from "../command";
import type { CoordinatorApi } from "../coordinator/api";
import { withEnrolment } from "../home/enrol";
import { findNetwork } from "../home/find-network";
import { notFound } from "../home/named-networks";

/** A network by its name or its id, without the flag's own name. */
export const NETWORK_FLAG = {
  schema: z.string({ error: "must name one of your networks" }).min(1, "must name a network"),
  value: "NETWORK",
  positional: true,
  summary: "One of your networks, by name or id",
} as const satisfies FlagSpec;

/** The network that is meant, as the coordinator knows it now. Throws `CliError` where it is none of the caller's. */
export async function networkNamed(
  ctx: Pick<CommandContext<unknown, object>, "coordinator">,
  name: string,
): Promise<{ readonly api: CoordinatorApi; readonly network: Network }> {
  const { home, api } = await ctx.coordinator();
  if (name === PUBLIC_NETWORK) {
    throw new CliError(
      EXIT.usage,
      "The public network has no members; everybody is in it.",
      "Name a network of your own. Run: troop network list",
    );
  }
  const { networks } = await withEnrolment(home, api, () => api.networks());
  const own = networks.map((network) => ({ network: network.id, name: network.name }));
  const found = findNetwork(own, name);
  if (!found.ok) throw notFound(name, found);
  const network = networks.find(({ id }) => id === found.value);
  if (network === undefined) throw notFound(name, { reason: "unknown" });
  return { api, network };
}

/** For lists, of the public network where none is named. */
export const LISTED_NETWORK_FLAG = {
  schema: z.string().min(1, "must name a network").optional(),
  value: "NETWORK",
  summary: "Those of one of your networks (default: public)",
} as const satisfies FlagSpec;

/** What a list is asked for with. Throws `CliError` where the network is none of the caller's. */
export async function networkQuery(
  ctx: Pick<CommandContext<unknown, object>, "coordinator">,
  name: string | undefined,
): Promise<{ readonly network?: NetworkId }> {
  if (name === undefined || name === PUBLIC_NETWORK) return {};
  return { network: (await networkNamed(ctx, name)).network.id };
}
