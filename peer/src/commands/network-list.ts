import type { NetworkList } from "#protocol/network";
import { table } from "../cli/columns";
import { command } from "../command";
import { withEnrolment } from "../home/enrol";

export const networkList = command({
  schema: "troop.network.list/1",
  flags: {},
  run: async (ctx): Promise<NetworkList> => {
    const { home, api } = await ctx.coordinator();
    return withEnrolment(home, api, () => api.networks());
  },
  human: renderNetworks,
});

function renderNetworks({ networks }: NetworkList): string {
  if (networks.length === 0) {
    return "You belong to no private network. Make one: troop network create NAME\n";
  }
  const rows = networks.map((network) => [
    network.name,
    network.role,
    String(network.members),
    network.policy.credits ? "on" : "off",
    network.id,
  ]);
  return table(["NETWORK", "ROLE", "MEMBERS", "CREDITS", "ID"], rows);
}
