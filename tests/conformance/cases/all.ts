import type { ConformanceCase } from "../conformance-case";
import { chatCases } from "./chat";
import { completionsCases } from "./completions";
import { embeddingsCases } from "./embeddings";
import { errorsCases } from "./errors";
import { httpCases } from "./http";
import { messagesCases } from "./messages";
import { responsesCases } from "./responses";
import { structuredCases } from "./structured";
import { toolsCases } from "./tools";

export const CASES_BY_AREA: Readonly<Record<string, readonly ConformanceCase[]>> = {
  chat: chatCases,
  completions: completionsCases,
  embeddings: embeddingsCases,
  responses: responsesCases,
  messages: messagesCases,
  tools: toolsCases,
  structured: structuredCases,
  errors: errorsCases,
  http: httpCases,
};
