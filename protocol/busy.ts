import { z } from "zod";

/**
 * Why a node takes no request just now: it serves as many as it can, its owner uses the machine, its engine reads the
 * model in, or it is being stopped.
 */
export const BusyReason = z.enum(["busy", "user_active", "model_loading", "draining"]);
export type BusyReason = z.infer<typeof BusyReason>;

/** With the code `node_busy`: a `BusyReason`. */
export const BUSY_HEADER = "troop-busy";
/** With the reason `busy`: the place that the request would have among those that wait, from 1. */
export const QUEUE_POSITION_HEADER = "troop-queue-position";
/** With the reason `busy`: milliseconds that it may have to wait there. */
export const QUEUE_WAIT_HEADER = "troop-queue-wait-ms";
/** Of a request: milliseconds for which its client would wait for a place. Without it a full node refuses at once. */
export const WAIT_HEADER = "troop-wait-ms";
