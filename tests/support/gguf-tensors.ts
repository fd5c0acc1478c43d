import type { Tensor } from "./gguf-encode";
import type { Token, TokenRole } from "./gguf-vocabulary";

export type ModelShape = {
  readonly layers: number;
  /** Width of the residual stream. */
  readonly dim: number;
  /** Width of the feed-forward layer. */
  readonly feedForward: number;
  readonly seed: number;
  /** How readily an answer ends: about 1 ends after some tens of tokens, -20 never. */
  readonly eosBias: number;
  /** How readily a tool call opens: -20 never, about 2 at once. */
  readonly toolBias: number;
};

/**
 * Random weights for a llama model. Channel 0 of every embedding holds a constant, and the output
 * head reads it as a bias per token: that is how random weights can be told what to say.
 */
export function randomTensors(shape: ModelShape, vocabulary: readonly Token[]): Tensor[] {
  const { dim, layers } = shape;
  const random = normalNumbers(shape.seed);
  const bias = outputBias(shape);

  const embedding = matrix(random, dim, vocabulary.length, 1);
  vocabulary.forEach((_, id) => (embedding[id * dim] = 4));
  const blocks = Array.from({ length: layers }, (_, layer) => block(random, shape, layer));
  const head = matrix(random, dim, vocabulary.length, 2.5 / Math.sqrt(dim));
  vocabulary.forEach((token, id) => (head[id * dim] = bias[token.role]));

  return [
    { name: "token_embd.weight", dimensions: [dim, vocabulary.length], values: embedding },
    ...blocks.flat(),
    { name: "output_norm.weight", dimensions: [dim], values: new Float32Array(dim).fill(1) },
    { name: "output.weight", dimensions: [dim, vocabulary.length], values: head },
  ];
}

function outputBias({ eosBias, toolBias }: ModelShape): Record<TokenRole, number> {
  return { spoken: 2, silent: -20, stop: eosBias, toolCall: toolBias };
}

function block(random: () => number, { dim, feedForward }: ModelShape, layer: number): Tensor[] {
  const norm = (name: string): Tensor => ({
    name: `blk.${layer}.${name}.weight`,
    dimensions: [dim],
    values: new Float32Array(dim).fill(1),
  });
  const weights = (name: string, columns: number, rows: number): Tensor => ({
    name: `blk.${layer}.${name}.weight`,
    dimensions: [columns, rows],
    // Small beside the embedding, so that the constant in channel 0 survives all layers.
    values: matrix(random, columns, rows, 0.5 / Math.sqrt(columns)),
  });
  return [
    norm("attn_norm"),
    weights("attn_q", dim, dim),
    weights("attn_k", dim, dim),
    weights("attn_v", dim, dim),
    weights("attn_output", dim, dim),
    norm("ffn_norm"),
    weights("ffn_gate", dim, feedForward),
    weights("ffn_up", dim, feedForward),
    weights("ffn_down", feedForward, dim),
  ];
}

function matrix(
  random: () => number,
  columns: number,
  rows: number,
  deviation: number,
): Float32Array {
  const values = new Float32Array(columns * rows);
  for (let i = 0; i < values.length; i++) values[i] = random() * deviation;
  return values;
}

/**
 * Near-normal numbers with deviation 1. Sums of uniforms instead of Box-Muller, because `Math.log`
 * and `Math.cos` may round differently from one JavaScript engine to the next.
 */
function normalNumbers(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = (): number => {
    // Weyl sequence through a 32-bit finaliser (splitmix32).
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
  return () => (uniform() + uniform() + uniform() + uniform() - 2) * Math.sqrt(3);
}
