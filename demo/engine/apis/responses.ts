import { type Answer, answerText } from "../answer";
import type { Frames } from "../voice";

/** The frames of `/v1/responses`; it has no `[DONE]`. `isNumbered`: with sequence numbers and indexes. */
export function responseFrames(answer: Answer, isNumbered: boolean): Frames {
  const isTool = answer.toolName !== null;
  const text = answerText(answer);
  const running = { ...head(answer), status: "in_progress", output: [], usage: null };
  const output = isNumbered ? { output_index: 0 } : {};
  const part = isNumbered ? { content_index: 0 } : {};
  const place = { item_id: itemId(answer), ...output };
  let sequence = 0;
  const number = (at: number): object => (isNumbered ? { sequence_number: at } : {});
  const frame = (type: string, rest: Record<string, unknown>): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...number(sequence++), ...rest })}\n\n`;

  let start = frame("response.created", { response: running });
  start += frame("response.in_progress", { response: running });
  start += frame("response.output_item.added", { ...output, item: item(answer, null) });
  if (!isTool) {
    start += frame("response.content_part.added", { ...place, ...part, part: textPart("") });
  }
  const deltaType = isTool
    ? "response.function_call_arguments.delta"
    : "response.output_text.delta";
  const before = `event: ${deltaType}\ndata: {"type":"${deltaType}"`;
  const indexes = isNumbered ? `,"output_index":0${isTool ? "" : ',"content_index":0'}` : "";
  const after = `,"item_id":"${itemId(answer)}"${indexes},"delta":`;
  const firstDelta = sequence;
  sequence += answer.pieces.length;

  let end: string;
  if (isTool) {
    end = frame("response.function_call_arguments.done", { ...place, arguments: text });
  } else {
    end = frame("response.output_text.done", { ...place, ...part, text });
    end += frame("response.content_part.done", { ...place, ...part, part: textPart(text) });
  }
  end += frame("response.output_item.done", { ...output, item: item(answer, text) });
  const last =
    isNumbered && answer.finish === "length" ? "response.incomplete" : "response.completed";
  end += frame(last, { response: whole(answer, text) });

  return {
    head: start,
    count: answer.pieces.length,
    piece(index) {
      const numbered = isNumbered ? `,"sequence_number":${firstDelta + index}` : "";
      return `${before}${numbered}${after}${answer.pieces[index]?.json ?? '""'}}

`;
    },
    tail: end,
  };
}

export function responseBody(answer: Answer): string {
  return JSON.stringify(whole(answer, answerText(answer)));
}

function whole(answer: Answer, text: string): Record<string, unknown> {
  const isCut = answer.finish === "length";
  return {
    ...head(answer),
    status: isCut ? "incomplete" : "completed",
    incomplete_details: isCut ? { reason: "max_output_tokens" } : null,
    output: [item(answer, text)],
    usage: {
      input_tokens: answer.promptTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: answer.pieces.length,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: answer.promptTokens + answer.pieces.length,
    },
  };
}

function head(answer: Answer): Record<string, unknown> {
  return {
    id: answer.id,
    object: "response",
    created_at: answer.createdSeconds,
    model: answer.model,
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    parallel_tool_calls: true,
    temperature: 1,
    tool_choice: "auto",
    tools: [],
    top_p: 1,
  };
}

/** `text` null: the item has only begun. */
function item(answer: Answer, text: string | null): Record<string, unknown> {
  const status = text === null ? "in_progress" : "completed";
  const id = itemId(answer);
  if (answer.toolName !== null) {
    const call = { call_id: answer.toolCallId, name: answer.toolName, arguments: text ?? "" };
    return { id, type: "function_call", status, ...call };
  }
  const content = text === null ? [] : [textPart(text)];
  return { id, type: "message", status, role: "assistant", content };
}

function textPart(text: string): Record<string, unknown> {
  return { type: "output_text", text, annotations: [], logprobs: [] };
}

function itemId({ id, toolName }: Answer): string {
  return `${toolName === null ? "msg" : "fc"}_${id}`;
}
