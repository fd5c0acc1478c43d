import { UserId } from "#protocol/names";
import { type MemberList, NetworkRole } from "#protocol/network";
import { CliError, EXIT } from "../cli/error";
import { table } from "../cli/columns";
import { command } from "../command";
import { NETWORK_FLAG, networkNamed } from "./network-flags";

export const networkMembers = command({
  schema: "troop.network.members/1",
  flags: {
    network: NETWORK_FLAG,
    user: {
      schema: UserId.optional(),
      value: "USER",
      summary: "With --role: whose role to change",
    },
    role: {
      schema: NetworkRole.optional(),
      value: "ROLE",
      summary: "With --user: owner, member, serve-only or use-only",
    },
  },
  run: async (ctx): Promise<MemberList> => {
    const { user, role } = ctx.flags;
    if ((user === undefined) !== (role === undefined)) {
      throw new CliError(EXIT.usage, "--user and --role go together.", "Give both, or none.");
    }
    const { api, network } = await networkNamed(ctx, ctx.flags.network);
    if (user !== undefined && role !== undefined) await api.changeRole(network.id, user, { role });
    return api.members(network.id);
  },
  human: ({ members }) =>
    table(
      ["USER", "ROLE", "SINCE (UTC)"],
      members.map((member) => [member.user_id, member.role, member.joined_at]),
    ),
});
