import { z } from "zod";
import { UserId } from "#protocol/names";
import { command } from "../command";
import { NETWORK_FLAG, networkNamed } from "./network-flags";

type Gone = { readonly network: string; readonly user_id: string };

export const networkRemove = command({
  schema: "troop.network.remove/1",
  flags: {
    network: NETWORK_FLAG,
    user: {
      schema: z.string({ error: "must name a member" }).pipe(UserId),
      value: "USER",
      summary: "The member to take out: see troop network members",
    },
  },
  run: async (ctx): Promise<Gone> => {
    const { user } = ctx.flags;
    const { api, network } = await networkNamed(ctx, ctx.flags.network);
    await api.removeMember(network.id, user);
    return { network: network.name, user_id: user };
  },
  human: ({ network, user_id: user }) =>
    `${user} is no member of ${network}. Tickets it holds end within five minutes.\n`,
});
