import { type Answer, answerText } from "../answer";
import type { Ask } from "../ask";
import type { ChunkTraits, Frames } from "../voice";

const DONE = "data: [DONE]\n\n";

/** The frames of a streamed chat completion or text completion. */
export function chunkFrames(ask: Ask, answer: Answer, traits: ChunkTraits): Frames {
  const isChat = ask.api === "chat";
  const top = chunkTop(answer, isChat ? "chat.completion.chunk" : "text_completion", traits);
  const eachUsage = usageWhileRunning(ask, traits);
  const close = `]${eachUsage}}\n\n`;
  const open = `data: {${top},"choices":[`;
  const last = answer.pieces.length - 1;
  const finish = finishReason(answer);

  const choice = (inner: string, reason: string): string =>
    `{"index":0,${inner}${traits.choice},"finish_reason":${reason}${reason === "null" ? "" : traits.finishChoice}}`;
  const frame = (index: number): string => {
    const inner = isChat
      ? deltaOf(answer, index, traits)
      : `"text":${answer.pieces[index]?.json ?? '""'}`;
    const reason = traits.finishOnLast && index === last ? finish : "null";
    const usage = ask.continuousUsage ? `,"usage":${usageJson(answer, index + 1)}` : "";
    return usage === ""
      ? `${open}${choice(inner, reason)}${close}`
      : `${open}${choice(inner, reason)}]${usage}}\n\n`;
  };

  const ownRole = isChat && (traits.role === "own-empty" || traits.role === "own-null");
  const content = traits.role === "own-null" ? "null" : '""';
  const head = ownRole
    ? `${open}${choice(`"delta":{"role":"assistant","content":${content}}`, "null")}${close}`
    : "";
  const usage = `,"usage":${usageJson(answer, answer.pieces.length)}`;
  const isUsageInFinish = !isChat && traits.usageInCompletions === "last";
  const extras = traits.last(answer);
  const finishExtras = isUsageInFinish ? usage + extras : ask.includeUsage ? "" : extras;
  const finishChunk =
    traits.finishOnLast && last >= 0
      ? ""
      : `${open}${choice(isChat ? '"delta":{}' : '"text":""', finish)}]${eachUsage}${finishExtras}}\n\n`;
  const usageChunk =
    ask.includeUsage && !isUsageInFinish ? `data: {${top},"choices":[]${usage}${extras}}\n\n` : "";
  return {
    head,
    count: answer.pieces.length,
    piece: frame,
    tail: `${finishChunk}${usageChunk}${DONE}`,
  };
}

/** The body of a chat completion or text completion that is not streamed. */
export function wholeBody(ask: Ask, answer: Answer, traits: ChunkTraits): string {
  const isChat = ask.api === "chat";
  const top = chunkTop(answer, isChat ? "chat.completion" : "text_completion", traits);
  const text = JSON.stringify(answerText(answer));
  const message =
    answer.toolName === null
      ? `"message":{"role":"assistant","content":${text}}`
      : `"message":{"role":"assistant","content":null,"tool_calls":[{"id":"${answer.toolCallId}","type":"function","function":{"name":${JSON.stringify(answer.toolName)},"arguments":${text}}}]}`;
  const inner = isChat ? message : `"text":${text}`;
  return `{${top},"choices":[{"index":0,${inner}${traits.choice},"finish_reason":${finishReason(answer)}${traits.finishChoice}}],"usage":${usageJson(answer, answer.pieces.length)}${traits.last(answer)}}`;
}

function deltaOf(answer: Answer, index: number, traits: ChunkTraits): string {
  const json = answer.pieces[index]?.json ?? '""';
  const role =
    traits.role === "every" || (traits.role === "merged" && index === 0)
      ? '"role":"assistant",'
      : "";
  if (answer.toolName === null) return `"delta":{${role}"content":${json}}`;
  // Only the first delta of a call says which call it is; the rest carry its index and arguments.
  const identity =
    index === 0
      ? `"id":"${answer.toolCallId}","type":"function","function":{"name":${JSON.stringify(answer.toolName)},`
      : '"function":{';
  return `"delta":{${role}"tool_calls":[{"index":0,${identity}"arguments":${json}}}]}`;
}

function usageWhileRunning(ask: Ask, traits: ChunkTraits): string {
  if (!ask.includeUsage) return "";
  if (traits.nullUsage) return ',"usage":null';
  if (ask.api === "completions" && traits.usageInCompletions === "zeroed") {
    return ',"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}';
  }
  return "";
}

function chunkTop(answer: Answer, object: string, traits: ChunkTraits): string {
  return `"id":"${answer.id}","object":"${object}","created":${answer.createdSeconds},"model":${JSON.stringify(answer.model)}${traits.top}`;
}

function finishReason({ finish }: Answer): string {
  return finish === "tool" ? '"tool_calls"' : `"${finish}"`;
}

export function usageJson({ promptTokens }: Answer, completionTokens: number): string {
  return `{"prompt_tokens":${promptTokens},"completion_tokens":${completionTokens},"total_tokens":${promptTokens + completionTokens}}`;
}
