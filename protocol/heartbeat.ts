import { z } from "zod";
import { E2eKeyToken } from "./e2e-key";
import { Rate } from "./microcredits";
import { ModelId, ModelOffer } from "./model-offer";
import { NetworkId } from "./names";
import { PLAIN_TEXT, PLAIN_TEXT_RULE } from "./plain-text";

/** Seconds between heartbeats of a node whose state does not change. */
export const HEARTBEAT_INTERVAL_S = 15;
/** A node not heard of for so long is dead to the coordinator. */
export const NODE_DEAD_AFTER_S = 45;
export const MAX_MODELS = 256;

/** Where a node can be reached: `http://host:port`, an IP literal for a host, no path. */
export const NodeUrl = z
  // A parsed host of digits and dots is an IPv4 address, one in brackets an IPv6 one; a name could be rebound.
  // `abort`: what is no URL at all must not reach the refinement, which would throw.
  .url({ protocol: /^http$/, hostname: /^(?:[\d.]+|\[.+\])$/, abort: true })
  .max(128)
  .refine((url) => new URL(url).origin === url, "must be http://address:port with no path");

/** Why a node holds back, in words that tell nothing of what its owner does. */
export const HoldReason = z.enum([
  /** Its owner said so. */
  "paused",
  "schedule",
  "user_active",
  "gpu_in_use",
  "cpu_in_use",
  "on_battery",
  "too_hot",
  "asleep",
]);
export type HoldReason = z.infer<typeof HoldReason>;

export const MAX_GPUS = 64;
const label = (most: number) => z.string().max(most).regex(PLAIN_TEXT, PLAIN_TEXT_RULE);

/** What a node says of its GPUs: labels for people, never an input to a price or a choice. */
export const GpuLabel = z.object({
  name: label(128).min(1),
  driver: label(64).optional(),
  vram_total_mib: z.int().nonnegative().max(16_777_216).optional(),
  vram_free_mib: z.int().nonnegative().max(16_777_216).optional(),
});
export type GpuLabel = z.infer<typeof GpuLabel>;

const TokensPerSecond = z.number().positive().max(10_000_000);

/** How fast a model answered one request, as the node measured it lately: for people, since nobody checks it. */
export const ModelSpeed = z.object({
  model: ModelId,
  prefill_tokens_per_s: TokensPerSecond.optional(),
  decode_tokens_per_s: TokensPerSecond,
});
export type ModelSpeed = z.infer<typeof ModelSpeed>;

export const Heartbeat = z.object({
  /** `leaving` and `paused` take the node and its models off the lists at once; a paused one goes on with heartbeats. */
  state: z.enum(["serving", "busy", "paused", "leaving"]),
  /** Why it is paused. */
  reason: HoldReason.optional(),
  /** Unix seconds at which the node will stop serving, where it knows. */
  lends_until: z.int().positive().optional(),
  gpus: z.array(GpuLabel).max(MAX_GPUS).optional(),
  speeds: z.array(ModelSpeed).max(MAX_MODELS).optional(),
  urls: z.array(NodeUrl).min(1).max(4),
  /** Where the node serves; the public network where it does not say. */
  networks: z.array(NetworkId).min(1).max(64).optional(),
  /** For clients, who check it; nobody else reads it. */
  e2e_key: E2eKeyToken,
  models: z.array(ModelOffer).max(MAX_MODELS),
  /** Models offered in an earlier heartbeat and gone since: taken off the lists at once. */
  withdrawn: z.array(ModelId).max(MAX_MODELS),
  /** Requests running and waiting at the moment. */
  running: z.int().nonnegative().max(65_536),
  waiting: z.int().nonnegative().max(65_536),
  /** Requests that the node serves at once. */
  concurrency: z.int().positive().max(65_536),
  /** The binary's version, for people. */
  version: z.string().min(1).max(64).regex(PLAIN_TEXT, PLAIN_TEXT_RULE),
});
export type Heartbeat = z.infer<typeof Heartbeat>;

export const HeartbeatAnswer = z.object({
  status: z.literal("seen"),
  /** Seconds until the next one is due. */
  next_in_seconds: z.int().positive(),
  /** Microcredits a second that the node earns now. */
  rate: Rate.optional(),
  /** Milliseconds until all nodes are to ask for a hardware challenge at the same moment. */
  hardware_round_in_ms: z.int().positive().optional(),
  /** An operator keeps the node from serving: it is offered to nobody. */
  suspended: z.object({ reason: z.string() }).optional(),
  /** Of the networks named, those in which this node may not serve (any more). */
  refused_networks: z.array(NetworkId).optional(),
});
export type HeartbeatAnswer = z.infer<typeof HeartbeatAnswer>;
