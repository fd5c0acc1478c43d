import { open, rename } from "node:fs/promises";
import { encodeGguf, type GgufFile, type MetadataValue } from "./gguf-encode";
import { type ModelShape, randomTensors } from "./gguf-tensors";
import { SPECIAL_IDS, tinyVocabulary, type Token } from "./gguf-vocabulary";

export type TinyModelOptions = ModelShape & {
  readonly name: string;
  readonly heads: number;
  /** Context length that the file claims, in tokens. */
  readonly contextTokens: number;
};

const DEFAULTS: TinyModelOptions = {
  name: "tiny-random",
  layers: 2,
  dim: 64,
  feedForward: 128,
  heads: 4,
  contextTokens: 2_048,
  seed: 1,
  eosBias: 1,
  toolBias: -20,
};

/** ChatML. Tools want a template of their own: give the engine one of llama.cpp's. */
const CHAT_TEMPLATE =
  "{%- for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{%- endfor %}" +
  "{%- if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

/** A llama-architecture model with random weights: the same options give the same bytes. */
export function tinyModel(options: Partial<TinyModelOptions> = {}): GgufFile {
  const model = { ...DEFAULTS, ...options };
  const vocabulary = tinyVocabulary();
  return {
    metadata: { ...architecture(model, vocabulary.length), ...tokenizer(vocabulary) },
    tensors: randomTensors(model, vocabulary),
  };
}

/** Writes the model; the name appears only once the file is whole. */
export async function writeTinyModel(
  path: string,
  options: Partial<TinyModelOptions> = {},
): Promise<void> {
  const partial = `${path}.partial`;
  const file = await open(partial, "w");
  try {
    for (const piece of encodeGguf(tinyModel(options))) await file.write(piece);
  } finally {
    await file.close();
  }
  await rename(partial, path);
}

function architecture(
  model: TinyModelOptions,
  vocabularySize: number,
): Record<string, MetadataValue> {
  return {
    "general.architecture": { kind: "string", value: "llama" },
    "general.type": { kind: "string", value: "model" },
    "general.name": { kind: "string", value: model.name },
    "general.file_type": { kind: "uint32", value: 0 },
    "llama.vocab_size": { kind: "uint32", value: vocabularySize },
    "llama.context_length": { kind: "uint32", value: model.contextTokens },
    "llama.embedding_length": { kind: "uint32", value: model.dim },
    "llama.block_count": { kind: "uint32", value: model.layers },
    "llama.feed_forward_length": { kind: "uint32", value: model.feedForward },
    "llama.attention.head_count": { kind: "uint32", value: model.heads },
    "llama.attention.head_count_kv": { kind: "uint32", value: model.heads },
    "llama.attention.layer_norm_rms_epsilon": { kind: "float32", value: 1e-5 },
    "llama.rope.dimension_count": { kind: "uint32", value: model.dim / model.heads },
    "llama.rope.freq_base": { kind: "float32", value: 10_000 },
  };
}

function tokenizer(vocabulary: readonly Token[]): Record<string, MetadataValue> {
  return {
    "tokenizer.ggml.model": { kind: "string", value: "llama" },
    "tokenizer.ggml.tokens": { kind: "strings", value: vocabulary.map(({ text }) => text) },
    "tokenizer.ggml.scores": { kind: "float32s", value: vocabulary.map(({ score }) => score) },
    "tokenizer.ggml.token_type": { kind: "int32s", value: vocabulary.map(({ type }) => type) },
    "tokenizer.ggml.unknown_token_id": { kind: "uint32", value: SPECIAL_IDS.unknown },
    "tokenizer.ggml.bos_token_id": { kind: "uint32", value: SPECIAL_IDS.bos },
    "tokenizer.ggml.eos_token_id": { kind: "uint32", value: SPECIAL_IDS.eos },
    "tokenizer.ggml.eot_token_id": { kind: "uint32", value: SPECIAL_IDS.endOfTurn },
    "tokenizer.ggml.add_bos_token": { kind: "bool", value: true },
    "tokenizer.ggml.add_eos_token": { kind: "bool", value: false },
    "tokenizer.ggml.add_space_prefix": { kind: "bool", value: false },
    "tokenizer.chat_template": { kind: "string", value: CHAT_TEMPLATE },
  };
}
