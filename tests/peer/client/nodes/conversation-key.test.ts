import { expect, it } from "vitest";
import { conversationKey } from "#peer/client/nodes/conversation-key";

type Message = { readonly role: string; readonly content: unknown };
const user = (content: unknown): Message => ({ role: "user", content });
const assistant = (content: unknown): Message => ({ role: "assistant", content });
const system = (content: string): Message => ({ role: "system", content });

function keyOf(
  body: object | string,
  headers: Record<string, string> = {},
  model = "m",
): number | undefined {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return conversationKey(model, new Headers(headers), Buffer.from(text));
}
const chat = (messages: readonly Message[], rest: object = {}) => ({
  model: "m",
  ...rest,
  messages,
});

const START = [system("Be brief."), user("What is a monkey?")];

it("is the same for all turns of a conversation", () => {
  const first = keyOf(chat(START));
  expect(first).toEqual(expect.any(Number));
  expect(keyOf(chat([...START, assistant("An animal."), user("And a troop?")]))).toBe(first);
  // What stands around the list may change.
  expect(keyOf(chat(START, { stream: true, user: "user", max_tokens: 7 }))).toBe(first);
  expect(keyOf({ ...chat(START), temperature: 0 })).toBe(first);
});

it("differs between conversations that begin alike", () => {
  const first = keyOf(chat(START));
  expect(keyOf(chat([system("Be brief."), user("What is a troop?")]))).not.toBe(first);
  expect(keyOf(chat([system("Be long."), user("What is a monkey?")]))).not.toBe(first);
  // A model has nothing in memory of what another one was told.
  expect(keyOf(chat(START), {}, "another")).not.toBe(first);
  const context = "The same pages of context. ".repeat(500);
  const asks = (text: string) => keyOf(chat([user([{ text: context }, { type: "text", text }])]));
  expect(asks("one")).not.toBe(asks("two"));
});

it("finds the beginning whatever the names' order, spaces and quotes in it", () => {
  const turns = (more: string) =>
    keyOf(`{"messages" : [ {"content": "a \\"role\\":\\"user\\" \\\\", "role" : "user"}${more}]}`);
  const first = turns("");
  expect(first).toEqual(expect.any(Number));
  expect(turns(', {"role":"assistant","content":"b"}')).toBe(first);
  const other = keyOf('{"messages" : [ {"content": "another \\\\", "role" : "user"}]}');
  expect(other).not.toBe(first);
});

it("knows the beginnings of /v1/responses and /v1/messages, too", () => {
  const input = [{ type: "message", role: "user", content: [{ type: "input_text", text: "Hi" }] }];
  const first = keyOf({ model: "m", instructions: "…", input });
  expect(keyOf({ model: "m", instructions: "…", input: [...input, assistant("Yes?")] })).toBe(
    first,
  );
  expect(first).toEqual(expect.any(Number));
  const said = { model: "m", max_tokens: 8, messages: [user("Hi")], system: "…" };
  const again = { ...said, max_tokens: 9, messages: [user("Hi"), assistant("Yes?"), user("No.")] };
  expect(keyOf(again)).toBe(keyOf(said));
});

it("is the name that the app gave the conversation, where it gave one", () => {
  const named = (name: string, text: string) =>
    keyOf({ input: [user(text)], prompt_cache_key: name });
  expect(named("a", "one")).toBe(named("a", "two"));
  expect(named("a", "one")).not.toBe(named("b", "one"));
  const goesOn = keyOf({ previous_response_id: "resp_1", input: "And then?" });
  expect(goesOn).toEqual(expect.any(Number));
  for (const header of ["session_id", "x-session-id", "x-session-affinity"]) {
    expect(keyOf(chat(START), { [header]: "a" })).toBe(named("a", "one"));
  }
  // In a text it is no name.
  expect(keyOf(chat([user('"prompt_cache_key":"a"')]))).not.toBe(named("a", ""));
});

it("is missing where a body shows no conversation", () => {
  expect(keyOf({ model: "m", input: ["one", "two"] })).toBeUndefined();
  expect(keyOf({ model: "m", prompt: "Once upon", user: "user" })).toBeUndefined();
  expect(keyOf(chat(START), { "content-encoding": "gzip" })).toBeUndefined();
  expect(keyOf("")).toBeUndefined();
  expect(keyOf('{"messages":[{"role":"user"')).toEqual(expect.any(Number));
});

it("looks at the beginning of a large body alone", () => {
  const picture = "A".repeat(3 * 1_024 * 1_024);
  const large = (end: string) => keyOf(chat([user([{ image: picture + end }])]));
  expect(large("one")).toBe(large("two"));
});
