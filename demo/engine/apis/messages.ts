import { type Answer, answerText } from "../answer";
import type { Frames } from "../voice";

const STOP_REASONS = { stop: "end_turn", length: "max_tokens", tool: "tool_use" } as const;

/** The frames of Anthropic's `/v1/messages`. */
export function messageFrames(answer: Answer): Frames {
  const isTool = answer.toolName !== null;
  const start = { ...head(answer), content: [], stop_reason: null, stop_sequence: null };
  const usage = { input_tokens: answer.promptTokens, output_tokens: 0 };
  const block = isTool
    ? { type: "tool_use", id: answer.toolCallId, name: answer.toolName, input: {} }
    : { type: "text", text: "" };
  const delta = isTool
    ? '{"type":"input_json_delta","partial_json":'
    : '{"type":"text_delta","text":';
  return {
    head:
      frame("message_start", { message: { ...start, usage } }) +
      frame("content_block_start", { index: 0, content_block: block }),
    count: answer.pieces.length,
    piece: (index) =>
      `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":${delta}${answer.pieces[index]?.json ?? '""'}}}\n\n`,
    tail:
      frame("content_block_stop", { index: 0 }) +
      frame("message_delta", {
        delta: { stop_reason: STOP_REASONS[answer.finish], stop_sequence: null },
        usage: { output_tokens: answer.pieces.length },
      }) +
      frame("message_stop", {}),
  };
}

export function messageBody(answer: Answer): string {
  const text = answerText(answer);
  return JSON.stringify({
    ...head(answer),
    content: [
      answer.toolName === null
        ? { type: "text", text }
        : {
            type: "tool_use",
            id: answer.toolCallId,
            name: answer.toolName,
            input: JSON.parse(text) as unknown,
          },
    ],
    stop_reason: STOP_REASONS[answer.finish],
    stop_sequence: null,
    usage: { input_tokens: answer.promptTokens, output_tokens: answer.pieces.length },
  });
}

function head({ id, model }: Answer): Record<string, unknown> {
  return { id, type: "message", role: "assistant", model };
}

function frame(type: string, rest: Record<string, unknown>): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;
}
