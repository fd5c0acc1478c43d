import { expect, it } from "vitest";
import { wantsEvents } from "#peer/client/app/wants-events";

const asks = (body: string, target = "/v1/chat/completions") =>
  wantsEvents(target, Buffer.from(body));

it("finds out whether a stream is asked for, wherever it stands", () => {
  expect(asks('{"stream":true}')).toBe(true);
  expect(asks('{"a":[{"stream" : false}], "stream"\n:  true }', "/v1/messages?beta=true")).toBe(
    true,
  );
  expect(asks('{"stream":false}')).toBe(false);
  expect(asks('{"stream_options":{}}')).toBe(false);
  expect(asks("{}")).toBe(false);
});

it("takes no text for it, nor an API whose streams have no shape for an error", () => {
  expect(asks(JSON.stringify({ messages: [{ content: '"stream":true' }] }))).toBe(false);
  expect(asks('{"stream":true}', "/v1/audio/transcriptions")).toBe(false);
});
