import { z } from "zod";
import { GpuLabel, ModelSpeed } from "./heartbeat";
import { PeerId } from "./identity";
import { Credits, Rate } from "./microcredits";
import { ModelId, ModelOffer } from "./model-offer";
import { NetworkId } from "./names";

/** A live node as members of its network see it. */
export const NodeListing = z.object({
  node_id: PeerId,
  network: NetworkId,
  state: z.enum(["serving", "busy"]),
  models: z.array(ModelOffer),
  rate: Rate,
  running: z.int().nonnegative(),
  waiting: z.int().nonnegative(),
  concurrency: z.int().positive(),
  version: z.string(),
  /** Unix seconds at which it will stop serving, where it knows. */
  lends_until: z.int().positive().optional(),
  /** As the node says itself: nobody checks them. */
  gpus: z.array(GpuLabel).optional(),
  speeds: z.array(ModelSpeed).optional(),
  /** ISO 8601, UTC. */
  seen_at: z.iso.datetime(),
});
export type NodeListing = z.infer<typeof NodeListing>;

export const NodePage = z.object({
  nodes: z.array(NodeListing),
  next_cursor: z.string().optional(),
});
export type NodePage = z.infer<typeof NodePage>;

/** OpenAI's list shape; `created` is the moment the network first saw the model, so it stays. */
export const ModelList = z.object({
  object: z.literal("list"),
  data: z.array(
    z.object({
      id: ModelId,
      object: z.literal("model"),
      created: z.int().nonnegative(),
      owned_by: z.string(),
      /** Of which model this is another name, for the whole network. */
      alias_of: ModelId.optional(),
      /** What 1,000 completion tokens usually cost; absent until the network has learned it. */
      credits_per_1k_tokens: Credits.optional(),
    }),
  ),
});
export type ModelList = z.infer<typeof ModelList>;
