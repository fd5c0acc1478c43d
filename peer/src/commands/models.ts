import type { ModelList } from "#protocol/directory";
import { table } from "../cli/columns";
import { command } from "../command";
import { withEnrolment } from "../home/enrol";
import { LISTED_NETWORK_FLAG, networkQuery } from "./network-flags";

export const models = command({
  schema: "troop.models/1",
  flags: { network: LISTED_NETWORK_FLAG },
  run: async (ctx): Promise<ModelList> => {
    const { home, api } = await ctx.coordinator();
    const query = await networkQuery(ctx, ctx.flags.network);
    return withEnrolment(home, api, () => api.models(query));
  },
  human: renderModels,
});

function renderModels({ data }: ModelList): string {
  if (data.length === 0) return "No model is offered at the moment.\n";
  const rows = data
    .toSorted((a, b) => a.id.localeCompare(b.id))
    .map((model) => [
      model.id,
      new Date(model.created * 1_000).toISOString().slice(0, 10),
      model.owned_by,
      model.credits_per_1k_tokens ?? "-",
    ]);
  return table(["MODEL", "SINCE", "OWNER", "CREDITS PER 1K TOKENS"], rows);
}
