import { z } from "zod";
import { HoldReason } from "#protocol/heartbeat";

/** What a running worker is asked over its local socket: one line of JSON, answered by one. */
export const ControlRequest = z.discriminatedUnion("ask", [
  z.strictObject({ ask: z.literal("status") }),
  /** Without `for_ms`: until it is resumed. */
  z.strictObject({ ask: z.literal("pause"), for_ms: z.int().positive().optional() }),
  z.strictObject({ ask: z.literal("resume") }),
]);
export type ControlRequest = z.infer<typeof ControlRequest>;

/** What the worker does, as of the moment of the answer; times are ISO 8601, UTC. */
export const WorkerStatus = z.object({
  state: z.enum(["lending", "paused"]),
  /** Only where it is paused. */
  reason: HoldReason.optional(),
  /** For people; may name a program of this machine. */
  why: z.string(),
  /** When it stops lending, or lends again, if nothing happens. */
  until: z.iso.datetime().optional(),
  policy: z.enum(["always", "idle", "schedule"]),
  /** Requests running, waiting, and how many run at most. */
  running: z.int().nonnegative(),
  waiting: z.int().nonnegative(),
  concurrency: z.int().nonnegative(),
  models: z.array(z.object({ id: z.string(), state: z.string() })),
  gpus: z.array(
    z.object({
      name: z.string(),
      driver: z.string().optional(),
      vram_total_mib: z.number().optional(),
      vram_free_mib: z.number().optional(),
    }),
  ),
  /** How each way to learn of this machine's use fared: `known`, or why it is not. */
  signals: z.array(z.object({ signal: z.string(), source: z.string(), state: z.string() })),
});
export type WorkerStatus = z.infer<typeof WorkerStatus>;

export const ControlAnswer = z.discriminatedUnion("ok", [
  z.object({ ok: z.literal(true), status: WorkerStatus }),
  z.object({ ok: z.literal(false), message: z.string() }),
]);
export type ControlAnswer = z.infer<typeof ControlAnswer>;

/** One line is never longer. */
export const MAX_LINE_BYTES = 1_048_576;
