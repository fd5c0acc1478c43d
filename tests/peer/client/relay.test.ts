import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { relayBody } from "#peer/client/relay";

const PIECE = Buffer.alloc(64 * 1_024, "x");

/** What of an incoming message a relay uses. */
function messageOf(source: Readable, headers: Record<string, string> = {}): IncomingMessage {
  return Object.assign(source, { headers, complete: false }) as unknown as IncomingMessage;
}

const RELAY = { engine: "vllm", target: "/v1/audio/speech" } as const;

it("makes the node wait for an app that does not read, and goes on when it does", async () => {
  let given = 0;
  const source = new Readable({
    highWaterMark: PIECE.length,
    read() {
      given += 1;
      this.push(given > 1_000 ? null : PIECE);
    },
  });
  const message = messageOf(source);
  source.once("end", () => {
    message.complete = true;
  });
  const reader = relayBody(message, { ...RELAY, ended() {}, left() {} }).getReader();
  await reader.read();
  // Everything that the source does, it does in turns of the event loop.
  for (let turn = 0; turn < 50; turn++) await new Promise((next) => setImmediate(next));
  expect(given).toBeLessThan(10);

  let bytes = PIECE.length;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    bytes += read.value.length;
  }
  expect(bytes).toBe(1_000 * PIECE.length);
});

it("tells once that it is over, and that the app left", async () => {
  const told: string[] = [];
  const source = new Readable({ read() {} });
  const body = relayBody(messageOf(source), {
    ...RELAY,
    ended: () => told.push("ended"),
    left: () => told.push("left"),
  });
  source.push("one");
  await body.cancel();
  source.destroy(new Error("cut"));
  await new Promise((next) => setImmediate(next));
  expect(told).toEqual(["left", "ended"]);
});
