import { postJson, userSays } from "./conformance-case";
import type { HttpRequest } from "./exchange";

export type TextOptions = {
  readonly prompt: string;
  readonly maxTokens: number;
  readonly stream: boolean;
};

export type TextApi = {
  readonly name: string;
  readonly request: (model: string, options: TextOptions) => HttpRequest;
  /** In a stream: the first word has come. */
  readonly firstWord: RegExp;
  /** How a stream ends that broke after it began. */
  readonly brokenEnd: RegExp;
};

const GREEDY = { temperature: 0, seed: 7 };

/** The three ways to ask for text that stream, with what differs between them. */
export const TEXT_APIS: readonly TextApi[] = [
  {
    name: "chat/completions",
    request: (model, { prompt, maxTokens, stream }) =>
      postJson("/v1/chat/completions", {
        model,
        stream,
        messages: userSays(prompt),
        max_tokens: maxTokens,
        ...GREEDY,
      }),
    firstWord: /"delta":\{"content":"[^"]/,
    brokenEnd: /data: \{"error":\{.*\}\}\s+data: \[DONE\]\s+$/,
  },
  {
    name: "responses",
    request: (model, { prompt, maxTokens, stream }) =>
      postJson("/v1/responses", {
        model,
        stream,
        input: prompt,
        max_output_tokens: maxTokens,
        ...GREEDY,
      }),
    firstWord: /^event: response\.output_text\.delta$/m,
    brokenEnd: /event: response\.failed\s+data: \{.*"type":"response\.failed".*\}\s+$/,
  },
  {
    name: "messages",
    request: (model, { prompt, maxTokens, stream }) =>
      postJson("/v1/messages?beta=true", {
        model,
        stream,
        messages: userSays(prompt),
        max_tokens: maxTokens,
        ...GREEDY,
      }),
    firstWord: /^event: content_block_delta$/m,
    brokenEnd: /event: error\s+data: \{"type":"error","error":\{.*\}.*\}\s+$/,
  },
];
