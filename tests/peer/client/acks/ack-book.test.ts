import { expect, it } from "vitest";
import { createAckBook, type SentRequest } from "#peer/client/acks/ack-book";
import { AckClaims } from "#protocol/ack";
import { fakeClock } from "../../worker/fake-clock";

const SENT: SentRequest = {
  ticket: "ticket",
  lease: "00000000-0000-4000-8000-000000000001",
  seq: 3,
  node: "n".repeat(43),
  request_hash: "x".repeat(43),
};

function setUp() {
  const clock = fakeClock();
  const kept: { readonly ticket: string; readonly ack: AckClaims }[] = [];
  const keep = (ticket: string, ack: AckClaims): void => void kept.push({ ticket, ack });
  return { clock, kept, keep, book: createAckBook({ clock, keep }) };
}

it("says how long the first byte and the end took, and what was seen", () => {
  const { clock, kept, book } = setUp();
  const since = book.now();
  clock.advance(5);
  const ack = book.begin(SENT, since);
  clock.advance(20);
  ack.firstByte();
  clock.advance(50);
  ack.firstByte();
  const hash = "y".repeat(43);
  ack.end({ outcome: "completed", completion_tokens: 7, response_hash: hash });
  const { ticket, ...sent } = SENT;
  expect(kept).toEqual([
    {
      ticket,
      ack: {
        ...sent,
        wall_ms: 75,
        ttft_ms: 25,
        outcome: "completed",
        completion_tokens: 7,
        response_hash: hash,
      },
    },
  ]);
  expect(AckClaims.safeParse({ ...kept[0]?.ack, iss: "c".repeat(43) }).success).toBe(true);
});

it("ends a request once, as it ended first", () => {
  const { kept, book } = setUp();
  const ack = book.begin(SENT, book.now());
  ack.end({ outcome: "cancelled" });
  ack.end({ outcome: "completed" });
  book.leaveAll();
  expect(kept.map(({ ack: { outcome, wall_ms } }) => [outcome, wall_ms])).toEqual([
    ["cancelled", 0],
  ]);
});

it("says of what still runs that it was left", () => {
  const { clock, kept, book } = setUp();
  const since = book.now();
  book.begin(SENT, since);
  book.begin({ ...SENT, seq: 4 }, since);
  clock.advance(9);
  book.leaveAll();
  expect(kept.map(({ ack }) => [ack.seq, ack.outcome, ack.wall_ms])).toEqual([
    [3, "cancelled", 9],
    [4, "cancelled", 9],
  ]);
});

it("never tells less time than passed: neither for a machine that slept nor for a clock that was set back", () => {
  const { keep, kept } = setUp();
  let [steadyMs, wallMs] = [0, 1_000_000];
  const clock = { steadyMs: () => steadyMs, wallMs: () => wallMs };
  const book = createAckBook({ clock, keep });
  const asleep = book.begin(SENT, book.now());
  [steadyMs, wallMs] = [10, 1_060_000];
  asleep.end({ outcome: "completed" });
  const setBack = book.begin(SENT, book.now());
  [steadyMs, wallMs] = [30.2, 2_000];
  setBack.end({ outcome: "completed" });
  const setForth = book.begin(SENT, book.now());
  [steadyMs, wallMs] = [40, 1e12];
  setForth.end({ outcome: "completed" });
  expect(kept.map(({ ack }) => ack.wall_ms)).toEqual([60_000, 21, 86_400_000]);
});
