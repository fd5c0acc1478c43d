import { z } from "zod";
import { countTokens } from "./prose";

/** The APIs that generate text. */
export type TextApi = "chat" | "completions" | "responses" | "messages";

export type Tool = { readonly name: string; readonly schema: unknown };

/** What a request comes to, whatever API it came by. */
export type Ask = {
  readonly api: TextApi;
  readonly model: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** vLLM's `continuous_usage_stats`: usage in every chunk. */
  readonly continuousUsage: boolean;
  /** What the answer's text depends on. */
  readonly seed: string;
  readonly promptTokens: number;
  readonly maxTokens: number | null;
  /** The tool that has to be called, if the request insists on one. */
  readonly tool: Tool | null;
  /** JSON schema that the answer has to fit, if there is one. */
  readonly jsonSchema: unknown;
};

const Named = z.looseObject({
  name: z.string().optional(),
  parameters: z.unknown().optional(),
  input_schema: z.unknown().optional(),
});
const ToolBody = Named.extend({ function: Named.optional() });
const Choice = z.union([
  z.string(),
  z.looseObject({
    type: z.string().optional(),
    name: z.string().optional(),
    function: z.looseObject({ name: z.string().optional() }).optional(),
  }),
]);
const Count = z.number().int().positive().nullish();
const Format = z.looseObject({ type: z.string().optional(), schema: z.unknown().optional() });
const Message = z.looseObject({ role: z.string().optional(), content: z.unknown().optional() });

const Body = z.looseObject({
  model: z.string().nullish(),
  messages: z.array(Message).optional(),
  prompt: z.union([z.string(), z.array(z.unknown())]).optional(),
  input: z.union([z.string(), z.array(z.unknown())]).optional(),
  system: z.unknown().optional(),
  stream: z.boolean().nullish(),
  stream_options: z
    .looseObject({
      include_usage: z.boolean().nullish(),
      continuous_usage_stats: z.boolean().nullish(),
    })
    .nullish(),
  max_tokens: Count,
  max_completion_tokens: Count,
  max_output_tokens: Count,
  tools: z.array(ToolBody).nullish(),
  tool_choice: Choice.nullish(),
  response_format: z
    .looseObject({ type: z.string().optional(), json_schema: Format.optional() })
    .nullish(),
  text: z.looseObject({ format: Format.optional() }).nullish(),
});
type Body = z.infer<typeof Body>;

export type AskRefusal = { readonly param: string | null; readonly message: string };

/** Which field has to be there, and hold something, for each API. */
const PROMPT_FIELD = {
  chat: "messages",
  completions: "prompt",
  responses: "input",
  messages: "messages",
} as const;

/**
 * Reads a request body. `emptyStreamOptionsMeanUsage` is vLLM's reading of `stream_options: {}`.
 */
export function readAsk(
  api: TextApi,
  json: unknown,
  emptyStreamOptionsMeanUsage: boolean,
): { ok: true; ask: Ask } | { ok: false; refusal: AskRefusal } {
  const parsed = Body.safeParse(json);
  if (!parsed.success) {
    const param = parsed.error.issues[0]?.path.join(".") ?? null;
    return { ok: false, refusal: { param, message: `invalid value for '${param ?? "body"}'` } };
  }
  const body = parsed.data;
  const field = PROMPT_FIELD[api];
  const prompt = body[field];
  if (prompt === undefined || prompt.length === 0) {
    return { ok: false, refusal: { param: field, message: `[] is too short - '${field}'` } };
  }

  const texts = (Array.isArray(prompt) ? prompt : [prompt]).map(textOf);
  if (body.system !== undefined) texts.unshift(textOf(body.system));
  const options = body.stream_options;
  return {
    ok: true,
    ask: {
      api,
      model: body.model ?? "",
      stream: body.stream ?? false,
      includeUsage: options?.include_usage ?? (emptyStreamOptionsMeanUsage && Boolean(options)),
      continuousUsage: options?.continuous_usage_stats ?? false,
      seed: texts.at(-1) ?? "",
      promptTokens: texts.reduce((sum, text) => sum + countTokens(text), 0),
      maxTokens: body.max_completion_tokens ?? body.max_output_tokens ?? body.max_tokens ?? null,
      tool: requiredTool(body),
      jsonSchema:
        body.response_format?.json_schema?.schema ?? body.text?.format?.schema ?? undefined,
    },
  };
}

function requiredTool({ tools, tool_choice: choice }: Body): Tool | null {
  if (!tools || !choice) return null;
  const listed = tools.map((tool) => tool.function ?? tool);
  const isAny = choice === "required" || (typeof choice === "object" && choice.type === "any");
  const wanted = typeof choice === "object" ? (choice.function?.name ?? choice.name) : undefined;
  const found = isAny
    ? listed[0]
    : listed.find(({ name }) => name !== undefined && name === wanted);
  if (found?.name === undefined) return null;
  return { name: found.name, schema: found.parameters ?? found.input_schema ?? {} };
}

/** All text in a message, a content part or a plain string; other parts (images) count for nothing. */
function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(textOf).join("");
  if (typeof value !== "object" || value === null) return "";
  const { content, text } = value as { content?: unknown; text?: unknown };
  return textOf(content) + textOf(text);
}
