import type { EngineKind } from "#protocol/model-offer";
import type { Answer } from "../../http/answer";
import { type BodyWriter, writtenBody } from "../../http/written-body";
import type { AnswerMeter } from "../../metering/answer-meter";
import { WAITING, WAITING_TICKS } from "./late-answer";
import type { BodyEnd } from "../acks/seen-end";
import type { Ticks, Waiting } from "../ticks";
import type { UsageFilter } from "./usage-filter";

const LEFT = {
  code: "stream_broken",
  message:
    "The node, its engine or this client went away in the middle of the answer; send the request again.",
} as const;

export type Relay = {
  readonly ticks: Ticks;
  readonly engine: EngineKind;
  /** Is fed what comes. */
  readonly meter: AnswerMeter;
  /** Takes something out of it on the way. */
  readonly filter: UsageFilter | undefined;
  /** Called with each chunk. */
  readonly heard: () => void;
  /** A comment at the end of a stream. */
  readonly lastWords: () => string;
  /** Called once, however it ends. */
  readonly ended: (how: BodyEnd) => void;
  /** The app went away first. */
  readonly left: () => void;
};

/**
 * The node's body as the app gets it: the same chunks, as fast as the app takes them, and a comment now and then where a
 * stream of events is silent. Where it breaks off, a stream of events ends with an error in the shape of its API, and any
 * other body with a broken connection, never like a whole one.
 */
export function relayBody(answer: Answer, relay: Relay): ReadableStream<Uint8Array> {
  const { meter, filter } = relay;
  let isOver = false;
  let isFull = false;
  let waiting: Waiting | undefined;
  function whenOver(how: BodyEnd, run: () => void): void {
    if (isOver) return;
    isOver = true;
    waiting?.end();
    relay.ended(how);
    run();
  }

  function begin(body: BodyWriter): void {
    function passRest(): void {
      const rest = filter?.rest();
      if (rest !== undefined && rest.length > 0) body.write(rest);
    }
    function finish(): void {
      passRest();
      if (meter.isBetweenEvents) body.write(Buffer.from(relay.lastWords()));
      body.end();
    }
    function breakOff(): void {
      passRest();
      const frame = meter.errorFrame(LEFT);
      if (frame === "") {
        body.breakOff();
        return;
      }
      // A stream that has come to its end, or has told of an error, says nothing more.
      if (meter.end(relay.engine) === "broken") body.write(Buffer.from(frame));
      body.end();
    }
    if (meter.isStream) {
      waiting = relay.ticks.begin(WAITING_TICKS, WAITING_TICKS, () => {
        // In the middle of an event it would be a part of it; and an app that does not read waits for nothing.
        if (meter.isBetweenEvents && !isFull) isFull = !body.write(WAITING);
      });
    }
    answer.read({
      onData(chunk) {
        if (isOver) return;
        waiting?.again();
        relay.heard();
        meter.feed(chunk);
        const passed = filter === undefined ? chunk : filter.pass(chunk);
        if (passed.length === 0) return;
        isFull = !body.write(passed);
        if (isFull) answer.pause();
      },
      onEnd: (isWhole) => (isWhole ? whenOver("whole", finish) : whenOver("broken", breakOff)),
    });
  }

  return writtenBody({
    begin,
    drained() {
      isFull = false;
      answer.resume();
    },
    left() {
      // First: leaving breaks the connection, which is not how it ended.
      whenOver("left", () => {});
      relay.left();
    },
  });
}
