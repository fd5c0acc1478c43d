import { expect, it } from "vitest";
import { type Relay, relayBody } from "#peer/client/answer/relay";
import { createTicks } from "#peer/client/ticks";
import { createAnswerMeter } from "#peer/metering/answer-meter";
import { createAnswer } from "#peer/http/answer";
import type { Connection } from "#peer/http/connection";

const PIECE = Buffer.alloc(64 * 1_024).fill(120);

function relayOf(told: Pick<Relay, "ended" | "left"> & Partial<Relay>): Relay {
  const sound = { api: "other", contentType: "audio/mpeg", contentEncoding: undefined } as const;
  return {
    ticks: createTicks(),
    engine: "vllm",
    meter: createAnswerMeter(sound),
    filter: undefined,
    heard() {},
    lastWords: () => "",
    ...told,
  };
}

/** An answer whose sender gives a piece whenever it may, until there are no more. */
function answerOf(pieces: number) {
  let given = 0;
  let isPaused = false;
  const connection: Connection = {
    isOpen: true,
    isFlushed: true,
    begin() {},
    send() {},
    flushed: () => Promise.resolve(),
    pause() {
      isPaused = true;
    },
    resume() {
      isPaused = false;
      give();
    },
    close: () => incoming.onOver(false),
  };
  const incoming = createAnswer({ status: 200, headers: [], keepsAlive: true }, connection);
  const mayGive = (): boolean => !isPaused && given < pieces;
  function give(): void {
    while (mayGive()) {
      given += 1;
      incoming.onBody(PIECE);
    }
    if (!isPaused && given === pieces) incoming.onOver(true);
  }
  return { ...incoming, give, given: () => given };
}

it("makes the node wait for an app that does not read, and goes on when it does", async () => {
  const { answer, give, given } = answerOf(1_000);
  const reader = relayBody(answer, relayOf({ ended() {}, left() {} })).getReader();
  give();
  const first = await reader.read();
  expect(given()).toBeLessThan(10);

  let bytes = first.value?.length ?? 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    bytes += read.value.length;
  }
  expect(bytes).toBe(1_000 * PIECE.length);
});

it("tells once that it is over, and that the app left", async () => {
  const told: string[] = [];
  const incoming = answerOf(0);
  const { answer } = incoming;
  const body = relayBody(
    answer,
    relayOf({
      ended: (how) => told.push(`ended: ${how}`),
      left: () => {
        told.push("gone");
        answer.cut();
      },
    }),
  );
  incoming.onBody(PIECE);
  await body.cancel();
  expect(told).toEqual(["ended: left", "gone"]);
});

it("keeps no comments for an app that does not read", async () => {
  const ticks = createTicks();
  const events = {
    api: "chat",
    contentType: "text/event-stream",
    contentEncoding: undefined,
  } as const;
  const meter = createAnswerMeter(events);
  const incoming = createAnswer(
    { status: 200, headers: [], keepsAlive: true },
    { pause() {}, resume() {}, close() {} },
  );
  const body = relayBody(incoming.answer, relayOf({ ticks, meter, ended() {}, left() {} }));
  const reader = body.getReader();
  const first = reader.read();
  const written = Buffer.from(`data: ${"x".repeat(64 * 1_024)}\n\n`);
  for (let times = 0; times < 2; times++) incoming.onBody(written);
  for (let seconds = 0; seconds < 2 * 60 * 60; seconds++) ticks.tick();
  incoming.onOver(true);
  let text = Buffer.from((await first).value ?? []).toString();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    text += Buffer.from(read.value).toString();
  }
  expect(text).toBe(written.toString().repeat(2));
});
