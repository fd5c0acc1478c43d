import { z } from "zod";
import type { NodeListing, NodePage } from "#protocol/directory";
import { formatCredits } from "#protocol/microcredits";
import { ModelId } from "#protocol/model-offer";
import { table } from "../cli/columns";
import { wholeNumber } from "../cli/flag-schemas";
import { command } from "../command";
import type { CoordinatorApi, NodesQuery } from "../coordinator/api";
import { printable } from "../coordinator/printable";
import { withEnrolment } from "../home/enrol";
import { LISTED_NETWORK_FLAG, networkQuery } from "./network-flags";

export const nodes = command({
  schema: "troop.nodes/1",
  flags: {
    network: LISTED_NETWORK_FLAG,
    model: { schema: ModelId.optional(), value: "MODEL", summary: "Only those that offer it" },
    limit: {
      schema: wholeNumber(1, 10_000).default(200),
      value: "N",
      summary: "How many to list (default 200)",
    },
    cursor: {
      schema: z.string().min(1, "must not be empty").optional(),
      value: "CURSOR",
      summary: "Where the list before ended",
    },
  },
  run: async (ctx): Promise<NodePage> => {
    const { home, api } = await ctx.coordinator();
    const { model, limit, cursor } = ctx.flags;
    const query = { ...(await networkQuery(ctx, ctx.flags.network)), model, cursor };
    return withEnrolment(home, api, () => listNodes(api, query, limit));
  },
  human: renderNodes,
});

/** Whole pages until `limit` is reached, so it may end a little above. */
async function listNodes(api: CoordinatorApi, query: NodesQuery, limit: number): Promise<NodePage> {
  const nodes: NodeListing[] = [];
  let { cursor } = query;
  do {
    const page = await api.nodes({ ...query, cursor });
    nodes.push(...page.nodes);
    // A coordinator that answers with the cursor it was sent would have this go on for ever.
    cursor = page.next_cursor === cursor ? undefined : page.next_cursor;
  } while (cursor !== undefined && nodes.length < limit);
  return cursor === undefined ? { nodes } : { nodes, next_cursor: cursor };
}

function renderNodes({ nodes, next_cursor: next }: NodePage): string {
  if (nodes.length === 0) return "No node is there at the moment.\n";
  const rows = nodes.map((node) => [
    node.node_id.slice(0, 12),
    node.state,
    [...new Set(node.models.map((model) => model.engine))].join(", ") || "-",
    `${formatCredits(node.rate)}/s`,
    `${node.running} of ${node.concurrency}`,
    node.models.map((model) => model.id).join(", ") || "-",
  ]);
  const list = table(["NODE", "STATE", "ENGINE", "CREDITS", "RUNNING", "MODELS"], rows);
  return next === undefined ? list : `${list}\nMore: troop nodes --cursor ${printable(next)}\n`;
}
