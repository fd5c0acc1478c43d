import { expect, it } from "vitest";
import { openRefusal } from "#peer/client/call/open-refusal";
import { OpenAiError } from "#protocol/openai-error";

async function messageFor(code: "node_busy" | "internal", headers: Record<string, string>) {
  const refusal = openRefusal(code, { header: (name) => headers[name] });
  await refusal.hasBegun();
  const body = Buffer.from(refusal.takeWhole() ?? expect.unreachable()).toString();
  return OpenAiError.parse(JSON.parse(body)).error.message;
}

it.each([
  ["busy", /as many requests as it can/],
  ["user_active", /Somebody uses/],
  ["model_loading", /loads the model/],
  ["draining", /being stopped/],
])("tells the app why a node is busy: %s", async (reason, text) => {
  expect(await messageFor("node_busy", { "troop-busy": reason })).toMatch(text);
});

it("never repeats what a node says in the open", async () => {
  expect(await messageFor("node_busy", { "troop-busy": "<b>evil</b>" })).toMatch(/as many/);
  expect(await messageFor("internal", { "troop-busy": "draining" })).toMatch(/failed/);
});
