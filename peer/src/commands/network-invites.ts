import { z } from "zod";
import type { InviteList } from "#protocol/network";
import { table } from "../cli/columns";
import { command } from "../command";
import { NETWORK_FLAG, networkNamed } from "./network-flags";

export const networkInvites = command({
  schema: "troop.network.invites/1",
  flags: {
    network: NETWORK_FLAG,
    revoke: {
      schema: z.uuid({ error: "must be the id of an invite" }).optional(),
      value: "ID",
      summary: "Take this one back first",
    },
  },
  run: async (ctx): Promise<InviteList> => {
    const { revoke } = ctx.flags;
    const { api, network } = await networkNamed(ctx, ctx.flags.network);
    if (revoke !== undefined) await api.revokeInvite(network.id, revoke);
    return api.invites(network.id);
  },
  human: ({ invites }) =>
    invites.length === 0
      ? "No invite is open.\n"
      : table(
          ["ID", "ROLE", "USES LEFT", "UNTIL (UTC)"],
          invites.map((one) => [one.id, one.role, String(one.uses_left), one.expires_at]),
        ),
});
