import { type ConformanceCase, jsonCase } from "../conformance-case";

const EMBEDDINGS = "/v1/embeddings";

export const embeddingsCases: readonly ConformanceCase[] = [
  jsonCase({
    name: "an embedding as floats",
    engine: "embeddings",
    target: EMBEDDINGS,
    body: { input: "a small river" },
    holds: ['"embedding":[', '"usage"'],
  }),
  jsonCase({
    name: "embeddings of several texts",
    engine: "embeddings",
    target: EMBEDDINGS,
    body: { input: ["one", "zwei", "三"] },
    holds: ['"index":2'],
  }),
  jsonCase({
    name: "an embedding in base64, as the openai package asks by default",
    engine: "embeddings",
    target: EMBEDDINGS,
    body: { input: "a small river", encoding_format: "base64" },
    holds: ['"embedding":"'],
  }),
  jsonCase({
    name: "embeddings without input",
    engine: "embeddings",
    target: EMBEDDINGS,
    body: {},
    status: 400,
  }),
  jsonCase({
    name: "embeddings of an engine that was started without them",
    target: EMBEDDINGS,
    body: { input: "a small river" },
    status: 501,
    holds: ['"not_supported_error"'],
  }),
];
