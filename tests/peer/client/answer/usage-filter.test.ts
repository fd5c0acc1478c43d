import fc from "fast-check";
import { expect, it } from "vitest";
import { createUsageFilter } from "#peer/client/answer/usage-filter";

const word = (content: string) =>
  `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`;
const COUNT = 'data: {"id":"c","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n';
const DONE = "data: [DONE]\n\n";

function filtered(pieces: readonly Buffer[]): string {
  const filter = createUsageFilter();
  const passed = pieces.map((piece) => filter.pass(piece));
  return Buffer.concat([...passed, filter.rest()]).toString();
}

it("takes out the event with the count, and no other byte", () => {
  const stream = word('the "usage" of "choices":[]') + word("🐒") + COUNT + DONE;
  expect(filtered([Buffer.from(stream)])).toBe(stream.replace(COUNT, ""));
});

it("does so wherever the stream is cut into pieces", () => {
  const others = ': ping\n\nevent: x\r\ndata: {"usage":1}\r\n\r\n';
  const stream = Buffer.from(word("a\n\nb") + others + COUNT + word("é") + DONE);
  const expected = stream.toString().replace(COUNT, "");
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
      const places = [0, ...cuts.toSorted((a, b) => a - b), stream.length];
      const pieces = places.slice(1).map((end, at) => stream.subarray(places[at], end));
      expect(filtered(pieces)).toBe(expected);
    }),
  );
});

it.each([
  ["with a part of the answer", 'data: {"choices":[{"delta":{}}],"usage":{"prompt_tokens":3}}\n\n'],
  ["without a count", 'data: {"choices":[],"usage":null}\n\n'],
  ["that is no JSON", 'data: {"choices":[],"usage":{"prompt_tokens":\n\n'],
  ["of another API", 'event: message_delta\ndata: {"usage":{"output_tokens":3}}\n\n'],
])("lets an event pass %s", (_, event) => {
  expect(filtered([Buffer.from(event)])).toBe(event);
});

it("gives what has not ended where nothing more comes", () => {
  expect(filtered([Buffer.from(word("a") + COUNT.trimEnd())])).toBe(word("a") + COUNT.trimEnd());
});

it("holds no event that is as long as no count is", () => {
  const filter = createUsageFilter();
  const long = Buffer.from(`data: {"usage":"${"x".repeat(20_000)}`);
  expect(filter.pass(long)).toHaveLength(long.length);
  expect(filter.pass(Buffer.from(`"}\n\n${COUNT}${DONE}`)).toString()).toBe(`"}\n\n${DONE}`);
});

it("passes whole events on in the moment in which they come", () => {
  const filter = createUsageFilter();
  const chunk = Buffer.from(word("a"));
  expect(filter.pass(chunk)).toBe(chunk);
});

it.each(["data: half", "event: x", 'data: {"id":"c","choices":[{"delta":{"content":"ha', ": ping"])(
  "passes the beginning of an event on that is no count: %s",
  (start) => {
    const filter = createUsageFilter();
    expect(filter.pass(Buffer.from(start)).toString()).toBe(start);
    expect(filter.pass(Buffer.from(`lf\n\n${COUNT}`)).toString()).toBe("lf\n\n");
  },
);
