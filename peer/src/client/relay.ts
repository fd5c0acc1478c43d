import type { IncomingMessage } from "node:http";
import { apiOfPath } from "../metering/api-of-path";
import { streamErrorFrame } from "../metering/stream-error-frame";

const LF = 10;
const LEFT = {
  code: "stream_broken",
  message: "The node went away in the middle of its answer.",
} as const;

/**
 * The node's body as the app gets it: the same chunks, as the app takes them. Where it breaks off, a stream of events
 * ends with an error in the shape of its API, and any other body with a broken connection, never like a whole one.
 *
 * `ended` is called once, however it ends; `left` when the app goes away first.
 */
export function relayBody(
  message: IncomingMessage,
  target: string,
  on: { readonly ended: () => void; readonly left: () => void },
): ReadableStream<Uint8Array> {
  const isEvents = message.headers["content-type"]?.startsWith("text/event-stream") === true;
  let last = LF;
  let beforeLast = LF;
  let isOver = false;
  const over = () => {
    if (isOver) return false;
    isOver = true;
    on.ended();
    return true;
  };

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        message.on("data", (chunk: Buffer) => {
          if (isOver) return;
          beforeLast = (chunk.length > 1 ? chunk.at(-2) : last) ?? LF;
          last = chunk.at(-1) ?? last;
          controller.enqueue(chunk);
          if ((controller.desiredSize ?? 0) <= 0) message.pause();
        });
        message.on("end", () => {
          if (message.complete) {
            if (over()) controller.close();
          } else {
            breakOff();
          }
        });
        message.on("error", breakOff);
        message.on("close", () => {
          if (!message.complete) breakOff();
        });

        function breakOff(): void {
          if (!over()) return;
          if (!isEvents) {
            // Null: the connection is reset without a stack trace on stderr.
            controller.error(null);
            return;
          }
          const gap = last !== LF ? "\n\n" : beforeLast !== LF ? "\n" : "";
          const frame = gap + streamErrorFrame(apiOfPath(target), LEFT);
          controller.enqueue(new TextEncoder().encode(frame));
          controller.close();
        }
      },
      pull() {
        message.resume();
      },
      cancel() {
        on.left();
        over();
      },
    },
    { highWaterMark: 1 },
  );
}
