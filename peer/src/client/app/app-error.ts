import { openAiError, type OpenAiErrorCode } from "#protocol/openai-error";

/** A refusal of the client's own, in OpenAI's shape. */
export function appError(
  status: number,
  code: OpenAiErrorCode,
  message: string,
  options: { readonly param?: string; readonly headers?: Record<string, string> } = {},
): Response {
  const body = openAiError(status, code, message, options.param ?? null);
  return Response.json(body, { status, ...(options.headers && { headers: options.headers }) });
}
