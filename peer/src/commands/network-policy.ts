import type { Network } from "#protocol/network";
import { command } from "../command";
import { NETWORK_FLAG, networkNamed } from "./network-flags";
import { renderNetwork } from "./network-show";
import { POLICY_FLAGS, policyOf } from "./policy-flags";

export const networkPolicy = command({
  schema: "troop.network.policy/1",
  flags: { network: NETWORK_FLAG, ...POLICY_FLAGS },
  run: async (ctx): Promise<Network> => {
    const change = policyOf(ctx.flags);
    const { api, network } = await networkNamed(ctx, ctx.flags.network);
    return Object.keys(change).length === 0 ? network : api.changePolicy(network.id, change);
  },
  human: renderNetwork,
});
