import type { ReceiptClaims } from "#protocol/receipt";
import { createOutbox, type Outbox } from "../../outbox/outbox";
import { openOutboxFile } from "../../outbox/outbox-file";

/** What is known of a request before the engine has it. */
export type OpenedReceipt = Omit<
  ReceiptClaims,
  "ttft_ms" | "engine_ms" | "prompt_tokens" | "completion_tokens" | "outcome" | "response_hash"
>;

/** The longest that a receipt can tell. */
export const LONGEST_MS = 86_400_000;

export type ReceiptOutbox = Outbox<OpenedReceipt, ReceiptClaims>;

/** Throws `CliError`. */
export function openReceiptOutbox(homeDir: string, coordinatorUrl: string): ReceiptOutbox {
  const file = openOutboxFile(homeDir, "worker");
  return createOutbox({ file, coordinatorUrl, recover: recovered });
}

/**
 * What ran when the process was killed did reach the engine: its receipt says so, with the time up to the last
 * checkpoint, which was never more than the truth.
 */
function recovered(opened: OpenedReceipt, aliveMs: number): ReceiptClaims {
  const engineMs = Math.min(LONGEST_MS, Math.max(0, aliveMs - opened.started_at_ms));
  return { ...opened, engine_ms: engineMs, outcome: "engine_error" };
}
