import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { encodeGguf, GGUF_ALIGNMENT_BYTES } from "./gguf-encode";
import { tinyModel, type TinyModelOptions, writeTinyModel } from "./gguf-model";
import { SPECIAL_IDS, tinyVocabulary } from "./gguf-vocabulary";
import { readGguf } from "./gguf-read";

function bytesOf(options: Partial<TinyModelOptions> = {}): Buffer {
  return Buffer.concat(encodeGguf(tinyModel(options)));
}

it("a model reads back as a llama with all of its tensors", () => {
  const { version, metadata, tensors } = readGguf(bytesOf({ layers: 3, dim: 32, heads: 2 }));
  expect(version).toBe(3);
  expect(metadata.get("general.architecture")).toBe("llama");
  expect(metadata.get("llama.block_count")).toBe(3);
  expect(metadata.get("llama.rope.dimension_count")).toBe(16);
  // Nine in each block, and the embedding, the last norm and the output head around them.
  expect(tensors).toHaveLength(3 * 9 + 3);
  expect(new Set(tensors.map(({ name }) => name)).size).toBe(tensors.length);
});

it("every tensor starts on a border and holds as many values as its dimensions say", () => {
  const file = bytesOf();
  const { tensors, dataOffset } = readGguf(file);
  expect(dataOffset % GGUF_ALIGNMENT_BYTES).toBe(0);
  let end = 0;
  for (const { offset, dimensions } of tensors) {
    expect(offset % GGUF_ALIGNMENT_BYTES).toBe(0);
    expect(offset - end).toBeGreaterThanOrEqual(0);
    expect(offset - end).toBeLessThan(GGUF_ALIGNMENT_BYTES);
    end = offset + 4 * dimensions.reduce((product, size) => product * size, 1);
  }
  expect(dataOffset + end).toBeLessThanOrEqual(file.length);
  expect(file.length - dataOffset - end).toBeLessThan(GGUF_ALIGNMENT_BYTES);
});

it("the vocabulary has a token for every byte and names its specials by their ids", () => {
  const { metadata } = readGguf(bytesOf());
  const tokens = tinyVocabulary().map(({ text }) => text);
  expect(metadata.get("tokenizer.ggml.tokens")).toEqual(tokens);
  expect(tokens.filter((text) => /^<0x[0-9A-F]{2}>$/.test(text))).toHaveLength(256);
  expect(tokens[SPECIAL_IDS.unknown]).toBe("<unk>");
  expect(tokens[SPECIAL_IDS.bos]).toBe("<s>");
  expect(tokens[SPECIAL_IDS.eos]).toBe("</s>");
  expect(tokens[SPECIAL_IDS.endOfTurn]).toBe("<|im_end|>");
  expect(new Set(tokens).size).toBe(tokens.length);
});

it("the same options give the same bytes, another seed or bias gives others", () => {
  expect(bytesOf().equals(bytesOf())).toBe(true);
  expect(bytesOf({ seed: 2 }).equals(bytesOf())).toBe(false);
  expect(bytesOf({ eosBias: -20 }).equals(bytesOf())).toBe(false);
  expect(bytesOf({ toolBias: 2 }).equals(bytesOf())).toBe(false);
});

it("a written file holds the model and leaves nothing else beside it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "troop-gguf-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeTinyModel(join(folder, "tiny.gguf"), { contextTokens: 512 });
  expect(await readdir(folder)).toEqual(["tiny.gguf"]);
  const written = Buffer.from(await Bun.file(join(folder, "tiny.gguf")).bytes());
  expect(written.equals(bytesOf({ contextTokens: 512 }))).toBe(true);
});
