import * as fc from "fast-check";
import { expect, it } from "vitest";
import { createSseWatch, type SseWatch } from "#peer/metering/sse-watch";

function watched(...chunks: readonly string[]): Omit<SseWatch, "feed"> {
  const watch = createSseWatch();
  for (const chunk of chunks) watch.feed(Buffer.from(chunk));
  const { isDone, isErrorTold, lastEvent, gap } = watch;
  return { isDone, isErrorTold, lastEvent, gap };
}

const STREAMS = {
  chat: 'data: {"id":"1","choices":[{"delta":{"content":"[DONE] é"}}]}\n\ndata: [DONE]\n\n',
  crlf: ': ping\r\n\r\ndata: {"id":"1"}\r\n\r\ndata: [DONE]\r\n\r\n',
  spaceless: 'data:{"id":"1"}\n\ndata:[DONE]\n\n',
  told: 'data: {"id":"1"}\n\ndata: {"error":{"message":"no"}}\n\ndata: [DONE]\n\n',
  named: 'event: error\ndata: {"message":"no"}\n\n',
  responses:
    'event: response.created\ndata: {"type":"response.created"}\n\nevent: response.completed\ndata: {"type":"response.completed","x":"event: error"}\n\n',
  unnamed: 'data: {"type":"response.created"}\n\ndata: {"type": "response.completed"}\n\n',
  mixed: 'event: response.created\ndata: {}\n\ndata: {"type":"response.completed"}\n\n',
};

it("knows a stream's end, failure and last event", () => {
  expect(watched(STREAMS.chat)).toMatchObject({ isDone: true, isErrorTold: false });
  expect(watched(STREAMS.crlf)).toMatchObject({ isDone: true, gap: "" });
  expect(watched(STREAMS.spaceless)).toMatchObject({ isDone: true });
  expect(watched(STREAMS.told)).toMatchObject({ isDone: true, isErrorTold: true });
  expect(watched(STREAMS.named)).toMatchObject({ isErrorTold: true });
  expect(watched(STREAMS.responses)).toMatchObject({
    lastEvent: "response.completed",
    isErrorTold: false,
  });
  expect(watched(STREAMS.unnamed)).toMatchObject({ lastEvent: "response.completed" });
  expect(watched(STREAMS.mixed)).toMatchObject({ lastEvent: "response.completed" });
});

it("does not take text, an absent error or a comment for an event", () => {
  expect(watched('data: {"id":"data: [DONE]"}\n\n').isDone).toBe(false);
  expect(watched('data: {"error":null,"id":"1"}\n\n').isErrorTold).toBe(false);
  expect(watched('data: {"error": null}\n\n: data: [DONE]\n\n')).toMatchObject({
    isDone: false,
    isErrorTold: false,
  });
});

it("says the same however the bytes are cut", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(STREAMS)),
      fc.array(fc.nat(200), { maxLength: 8 }),
      (stream, cuts) => {
        const bytes = Buffer.from(stream);
        const at = [0, ...cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b)];
        const watch = createSseWatch();
        at.forEach((from, index) => watch.feed(bytes.subarray(from, at[index + 1])));
        const { isDone, isErrorTold, lastEvent, gap } = watch;
        expect({ isDone, isErrorTold, lastEvent, gap }).toEqual(watched(stream));
      },
    ),
  );
});

it("says what is missing before a new event can begin", () => {
  expect(watched("").gap).toBe("");
  expect(watched('data: {"id":"1"}\n\n').gap).toBe("");
  expect(watched('data: {"id":"1"}\n').gap).toBe("\n");
  expect(watched('data: {"id":"1"}\n\ndata: {"i').gap).toBe("\n\n");
  expect(watched(": ping\n").gap).toBe("\n");
});
