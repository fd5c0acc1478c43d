import { command } from "../command";
import { enrol } from "../home/enrol";
import { NETWORK_FLAG, networkNamed } from "./network-flags";

type Left = { readonly network: string };

export const networkLeave = command({
  schema: "troop.network.leave/1",
  flags: { network: NETWORK_FLAG },
  run: async (ctx): Promise<Left> => {
    const { api, network } = await networkNamed(ctx, ctx.flags.network);
    const home = await ctx.home();
    // The one at hand may name a user that this peer had before it was linked to a person.
    const { user_id: own } = await enrol(home, api, { renew: true });
    await api.removeMember(network.id, own);
    await enrol(home, api, { renew: true });
    return { network: network.name };
  },
  human: ({ network }) => `You have left ${network}.\n`,
});
