import type { IncomingMessage } from "node:http";
import type { EngineKind } from "#protocol/model-offer";
import { createAnswerMeter } from "../metering/answer-meter";
import { apiOfPath } from "../metering/api-of-path";

const LEFT = {
  code: "stream_broken",
  message: "The node went away in the middle of its answer; send the request again.",
} as const;
/** Chunks that wait for a slow app before the node has to wait, too. Counting bytes would cost more than it saves. */
const BUFFERED_CHUNKS = 4;

export type Relay = {
  readonly engine: EngineKind;
  /** Path and query of the request. */
  readonly target: string;
  /** Called once, however it ends. */
  readonly ended: () => void;
  /** The app went away first. */
  readonly left: () => void;
};

/**
 * The node's body as the app gets it: the same chunks, as fast as the app takes them. Where it breaks off, a stream of
 * events ends with an error in the shape of its API, and any other body with a broken connection, never like a whole
 * one.
 */
export function relayBody(message: IncomingMessage, relay: Relay): ReadableStream<Uint8Array> {
  const meter = createAnswerMeter({
    api: apiOfPath(relay.target),
    contentType: message.headers["content-type"],
    contentEncoding: message.headers["content-encoding"],
  });
  let isOver = false;
  function whenOver(run: () => void): void {
    if (isOver) return;
    isOver = true;
    relay.ended();
    run();
  }

  function start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    function breakOff(): void {
      const frame = meter.errorFrame(LEFT);
      if (frame === "") {
        // Null: the connection is reset without a stack trace on stderr.
        controller.error(null);
        return;
      }
      // A stream that has come to its end, or has told of an error, says nothing more.
      if (meter.end(relay.engine) === "broken") controller.enqueue(Buffer.from(frame));
      controller.close();
    }
    message.on("data", (chunk: Uint8Array) => {
      if (isOver) return;
      meter.feed(chunk);
      controller.enqueue(chunk);
      if ((controller.desiredSize ?? 0) <= 0) message.pause();
    });
    message.once("end", () => whenOver(message.complete ? () => controller.close() : breakOff));
    message.once("error", () => whenOver(breakOff));
    message.once("close", () => whenOver(breakOff));
  }

  return new ReadableStream<Uint8Array>(
    {
      start,
      pull: () => void message.resume(),
      cancel: () => {
        relay.left();
        whenOver(() => {});
      },
    },
    { highWaterMark: BUFFERED_CHUNKS },
  );
}
