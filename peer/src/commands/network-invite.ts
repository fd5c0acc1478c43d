import { InviteRole, MAX_INVITE_S, MAX_INVITE_USES, type NewInvite } from "#protocol/network";
import { wholeNumber } from "../cli/flag-schemas";
import { command } from "../command";
import { NETWORK_FLAG, networkNamed } from "./network-flags";

const HOUR_S = 60 * 60;
const MAX_HOURS = MAX_INVITE_S / HOUR_S;

export const networkInvite = command({
  schema: "troop.network.invite/1",
  flags: {
    network: NETWORK_FLAG,
    role: {
      schema: InviteRole.default("member"),
      value: "ROLE",
      summary: "member, serve-only or use-only (default member)",
    },
    uses: {
      schema: wholeNumber(1, MAX_INVITE_USES).default(1),
      value: "N",
      summary: "How many may join with it (default 1)",
    },
    hours: {
      schema: wholeNumber(1, MAX_HOURS).default(24),
      value: "HOURS",
      summary: `How long it is good for (default 24, at most ${MAX_HOURS})`,
    },
  },
  run: async (ctx): Promise<NewInvite> => {
    const { role, uses, hours } = ctx.flags;
    const { api, network } = await networkNamed(ctx, ctx.flags.network);
    return api.createInvite(network.id, { role, uses, expires_in_seconds: hours * HOUR_S });
  },
  human: ({ invite, role, uses_left: uses, expires_at }) =>
    `Whoever runs this ${uses === 1 ? "first" : `(${uses} times)`} joins as ${role}, until ${expires_at}:\n\n` +
    `  troop join ${invite}\n`,
});
