import { z } from "zod";

/** The error body of OpenAI's API, which clients and nodes answer with under `/v1`. */
export const OpenAiError = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string().nullable(),
  }),
});
export type OpenAiError = z.infer<typeof OpenAiError>;

/** Codes that a client's or a node's own refusals carry; the engine's own errors pass unchanged. */
export type OpenAiErrorCode =
  | "invalid_request"
  | "invalid_api_key"
  | "model_required"
  | "model_not_found"
  | "not_found"
  | "method_not_allowed"
  | "insufficient_credits"
  | "request_too_large"
  | "ticket_missing"
  | "ticket_invalid"
  | "proof_invalid"
  | "session_unknown"
  | "budget_exhausted"
  | "node_busy"
  | "node_unreachable"
  | "engine_unreachable"
  | "engine_error"
  | "stream_broken"
  | "coordinator_unreachable"
  | "coordinator_refused"
  | "internal";

const TYPE_BY_STATUS: Record<number, string> = {
  401: "authentication_error",
  402: "insufficient_quota",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
};

/** `type` follows from the status as SDKs expect it. */
export function openAiError(
  status: number,
  code: OpenAiErrorCode,
  message: string,
  param: string | null = null,
): OpenAiError {
  const type = TYPE_BY_STATUS[status] ?? (status >= 500 ? "server_error" : "invalid_request_error");
  return { error: { message, type, param, code } };
}
