import { openAiError, type OpenAiErrorCode } from "#protocol/openai-error";
import type { ApiShape } from "./api-of-path";

/** What went wrong after the answer had begun. The message is fit for people. */
export type StreamError = { readonly code: OpenAiErrorCode; readonly message: string };

/** Where in its stream a `/v1/responses` answer broke: its clients count events and know the answer by its id. */
export type ResponsesPlace = { readonly responseId?: string; readonly sequenceNumber?: number };

/**
 * The event, as text, that ends a broken stream the way its API ends one that failed: a client that got only the end
 * of the connection would take what it has for the whole answer. It starts at an event's beginning: send what
 * `SseWatch.gap` says first.
 */
export function streamErrorFrame(
  api: ApiShape,
  error: StreamError,
  place: ResponsesPlace = {},
): string {
  switch (api) {
    case "chat":
    case "completions":
      return `${data(openAiError(500, error.code, error.message))}data: [DONE]\n\n`;
    case "responses":
      return event("response.failed", responseFailed(error, place));
    case "messages":
      return event("error", {
        type: "error",
        error: { type: "api_error", message: error.message },
      });
    default:
      return data(openAiError(500, error.code, error.message));
  }
}

/** Codex and the SDKs read `response.error`; the other fields are those that their parsers ask for. */
function responseFailed({ code, message }: StreamError, place: ResponsesPlace): object {
  return {
    type: "response.failed",
    sequence_number: place.sequenceNumber ?? 0,
    response: {
      id: place.responseId ?? "resp_failed",
      object: "response",
      created_at: 0,
      status: "failed",
      error: { code, message },
      incomplete_details: null,
      output: [],
      usage: null,
    },
  };
}

function event(name: string, body: object): string {
  return `event: ${name}\n${data(body)}`;
}

function data(body: object): string {
  return `data: ${JSON.stringify(body)}\n\n`;
}
