import type { Network } from "#protocol/network";
import { columns } from "../cli/columns";
import { command } from "../command";
import { printable } from "../coordinator/printable";
import { NETWORK_FLAG, networkNamed } from "./network-flags";

export const networkShow = command({
  schema: "troop.network.show/1",
  flags: { network: NETWORK_FLAG },
  run: async (ctx): Promise<Network> => (await networkNamed(ctx, ctx.flags.network)).network,
  human: renderNetwork,
});

export function renderNetwork({ id, name, role, members, policy }: Network): string {
  const { allowed_models: models, aliases = {} } = policy;
  const names = Object.entries(aliases).map(([name, model]) => `${name} = ${model}`);
  return columns([
    ["name", name],
    ["id", id],
    ["your role", role],
    ["members", String(members)],
    ["credits", policy.credits ? "on" : "off"],
    ["who may lend", policy.serve],
    ["own nodes first", policy.own_nodes_first ? "on" : "off"],
    ["models", models.length === 0 ? "all" : printable(models.join(", "))],
    ...(names.length > 0 ? [["aliases", printable(names.join(", "))] as const] : []),
  ]);
}
