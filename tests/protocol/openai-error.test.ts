import { expect, it } from "vitest";
import { OpenAiError, openAiError } from "#protocol/openai-error";

it.each([
  [400, "invalid_request_error"],
  [401, "authentication_error"],
  [402, "insufficient_quota"],
  [403, "permission_error"],
  [404, "not_found_error"],
  [413, "invalid_request_error"],
  [429, "rate_limit_error"],
  [500, "server_error"],
  [502, "server_error"],
  [503, "server_error"],
  [504, "server_error"],
])("an error of status %i has the type %s that SDKs expect", (status, type) => {
  expect(openAiError(status, "internal", "Try again.").error.type).toBe(type);
});

it("an error without a param says null, as OpenAI's do", () => {
  expect(openAiError(404, "model_not_found", "Pick another.")).toEqual({
    error: {
      message: "Pick another.",
      type: "not_found_error",
      param: null,
      code: "model_not_found",
    },
  });
});

it("an error names the param that is at fault", () => {
  const error = openAiError(400, "model_required", "Name a model.", "model");
  expect(OpenAiError.parse(error)).toEqual(error);
  expect(error.error.param).toBe("model");
});
