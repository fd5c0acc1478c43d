import { z } from "zod";
import { NetworkName } from "#protocol/names";
import type { Network } from "#protocol/network";
import { command } from "../command";
import { enrol, withEnrolment } from "../home/enrol";
import { POLICY_FLAGS, policyOf } from "./policy-flags";
import { renderNetwork } from "./network-show";

export const networkCreate = command({
  schema: "troop.network.create/1",
  flags: {
    name: {
      schema: z.string({ error: "must name the network" }).pipe(NetworkName),
      value: "NAME",
      positional: true,
      summary: "What its members call it",
    },
    ...POLICY_FLAGS,
  },
  run: async (ctx): Promise<Network> => {
    const { home, api } = await ctx.coordinator();
    const { name } = ctx.flags;
    const policy = policyOf(ctx.flags);
    const network = await withEnrolment(home, api, () => api.createNetwork({ name, policy }));
    // So that a client or worker of this home knows it at once.
    await enrol(home, api, { renew: true });
    return network;
  },
  human: (network) =>
    `${renderNetwork(network)}\nLet others in: troop network invite ${network.name}\n`,
});
