import { E2eKeyToken } from "#protocol/e2e-key";
import { NodeUrl } from "#protocol/heartbeat";
import { PeerId } from "#protocol/identity";
import { Rate } from "#protocol/microcredits";
import { EngineKind } from "#protocol/model-offer";
import { UserId } from "#protocol/names";
import { z } from "zod";

/** What Redis keeps of one node under one model: enough to choose and to dial. */
export const LiveOffer = z.object({
  node_id: PeerId,
  user_id: UserId,
  urls: z.array(NodeUrl),
  e2e_key: E2eKeyToken,
  engine: EngineKind,
  rate: Rate,
  cold: z.boolean(),
  running: z.int(),
  waiting: z.int(),
  concurrency: z.int().positive(),
  /** Unix seconds. */
  lends_until: z.int().optional(),
  seen_at_ms: z.int(),
});
export type LiveOffer = z.infer<typeof LiveOffer>;
