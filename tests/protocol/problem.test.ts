import { expect, it } from "vitest";
import { Problem, PROBLEM_CODES, PROBLEMS } from "#protocol/problem";
import { boundsOf } from "./schema-bounds";

boundsOf(
  "Problem",
  Problem,
  {
    type: "about:blank",
    title: "The request does not have the shape this endpoint takes.",
    status: 400,
    code: "request_invalid",
    detail: "Send a model.",
    requestId: "r-1",
    fields: ["model"],
    balance_microcredits: 0,
    held_microcredits: 0,
    models: ["llama3.1:8b"],
  },
  {
    optional: ["detail", "fields", "balance_microcredits", "held_microcredits", "models"],
    refuses: [
      ["a code that nobody knows", "code", "teapot"],
      ["another type", "type", "https://errors.example/1"],
      ["a fraction for a status", "status", 400.5],
    ],
  },
);

it.each(PROBLEM_CODES)("%s has a status of an error and a title that is a sentence", (code) => {
  const [status, title] = PROBLEMS[code];
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(600);
  expect(title).toMatch(/^[A-Z].*\.$/);
});
