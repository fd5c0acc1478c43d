import { describe, expect, inject, it } from "vitest";
import { z } from "zod";
import { postJson, postText, userSays } from "./conformance-case";
import { answerHeader, exchange, type HttpAnswer, type HttpRequest } from "./exchange";

// What the endpoint answers by itself: no engine could, so there is nothing to compare with.

const { words } = inject("benches");
const Model = z.object({
  id: z.string(),
  object: z.literal("model"),
  created: z.int(),
  owned_by: z.string(),
});
const ModelList = z.object({ object: z.literal("list"), data: z.array(Model) });
const OpenAiError = z.object({
  error: z.object({
    message: z.string().min(1),
    type: z.string().min(1),
    param: z.string().nullable(),
    code: z.union([z.string(), z.number()]).nullable(),
  }),
});

function ask(method: string, target: string): Promise<HttpAnswer> {
  return exchange(words.proxiedUrl, { method, target });
}

function json(answer: HttpAnswer): unknown {
  expect(answerHeader(answer, "content-type")).toMatch(/^application\/json/);
  return JSON.parse(answer.body.toString());
}

describe("models", () => {
  it("are listed in OpenAI's shape, with ids that hold '/' and ':'", async () => {
    const { data } = ModelList.parse(json(await ask("GET", "/v1/models")));
    expect(data.map(({ id }) => id)).toEqual([words.modelId]);
  });

  it("keep their time of creation from one listing to the next", async () => {
    const first = ModelList.parse(json(await ask("GET", "/v1/models")));
    const second = ModelList.parse(json(await ask("GET", "/v1/models")));
    expect(second.data).toEqual(first.data);
  });

  it.each(["org/model:tag", "org%2Fmodel%3Atag", "org/model%3Atag", "org%2fmodel:tag"])(
    "are found one by one, as %s",
    async (id) => {
      const answer = await ask("GET", `/v1/models/${id}`);
      expect(answer.status).toBe(200);
      expect(Model.parse(json(answer)).id).toBe(words.modelId);
    },
  );

  it("answer HEAD without a body", async () => {
    const answer = await ask("HEAD", "/v1/models");
    expect(answer).toMatchObject({ status: 200, isComplete: true });
  });
});

const hello = { messages: userSays("hello"), max_tokens: 3 };
const refusals: readonly { name: string; request: HttpRequest; status: number }[] = [
  {
    name: "a model that nobody offers",
    request: postJson("/v1/chat/completions", { model: "no/such:model", ...hello }),
    status: 404,
  },
  {
    name: "a single model that nobody offers",
    request: { method: "GET", target: "/v1/models/no/such:model" },
    status: 404,
  },
  {
    name: "broken JSON",
    request: postText("/v1/chat/completions", `{"model": "${words.modelId}", "messages": [}`),
    status: 400,
  },
  {
    name: "a body that is no JSON",
    request: postText("/v1/chat/completions", "hello"),
    status: 400,
  },
  {
    name: "a request without a model",
    request: postJson("/v1/chat/completions", hello),
    status: 400,
  },
  {
    name: "an empty body",
    request: postText("/v1/chat/completions", ""),
    status: 400,
  },
  {
    name: "a path that nobody knows",
    request: { method: "GET", target: "/v1/no/such/thing" },
    status: 404,
  },
  {
    name: "a body larger than any limit, by its announced length",
    request: {
      method: "POST",
      target: "/v1/chat/completions",
      headers: {
        "content-type": "application/json",
        "content-length": String(2 ** 40),
        expect: "100-continue",
      },
    },
    status: 413,
  },
];

describe("a refusal is JSON in OpenAI's shape:", () => {
  it.each(refusals)("$name", async ({ request, status }) => {
    const answer = await exchange(words.proxiedUrl, request);
    const { error } = OpenAiError.parse(json(answer));
    expect([answer.status, error.message]).toEqual([status, expect.any(String)]);
  });

  it("of an unknown model names the ones that are there", async () => {
    const answer = await exchange(
      words.proxiedUrl,
      postJson("/v1/chat/completions", { model: "no/such:model", ...hello }),
    );
    expect(OpenAiError.parse(json(answer)).error.message).toContain(words.modelId);
  });

  it("of a wrong method is one too", async () => {
    const answer = await ask("GET", "/v1/chat/completions");
    expect([404, 405]).toContain(answer.status);
    OpenAiError.parse(json(answer));
  });
});
