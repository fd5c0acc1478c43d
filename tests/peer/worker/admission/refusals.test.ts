import { expect, it } from "vitest";
import { refusalAnswer } from "#peer/worker/admission/refusals";
import { OpenAiError } from "#protocol/openai-error";

it.each([
  "busy",
  "user_active",
  "model_loading",
  "draining",
  "engine_unreachable",
  "engine_broke",
  "engine_silent",
  "body_too_large",
  "body_broken",
  "body_too_slow",
  "budget_exhausted",
  "internal",
] as const)("says what to do next: %s", (reason) => {
  const { body } = refusalAnswer(reason);
  const { error } = OpenAiError.parse(JSON.parse(body));
  expect(error.message).toMatch(/; (?:try|send|extend) /);
});
