import { expect, it } from "vitest";
import type { Connection } from "#peer/http/connection";
import { createConnectionPool } from "#peer/http/connection-pool";

const ORIGIN = "http://node.test";
const IDLE_MS = 1_000;

function openConnection(): Connection & { readonly closed: () => boolean } {
  let isOpen = true;
  return {
    get isOpen() {
      return isOpen;
    },
    isFlushed: true,
    begin() {},
    send() {},
    flushed: () => Promise.resolve(),
    pause() {},
    resume() {},
    close() {
      isOpen = false;
    },
    closed: () => !isOpen,
  };
}

it("gives the connection that was used latest, each to one, and only for its own origin", () => {
  const pool = createConnectionPool(() => 0, IDLE_MS);
  const [first, second] = [openConnection(), openConnection()];
  pool.give(ORIGIN, first);
  pool.give(ORIGIN, second);
  expect(pool.take("http://other.test")).toBeUndefined();
  expect(pool.take(ORIGIN)).toBe(second);
  expect(pool.take(ORIGIN)).toBe(first);
  expect(pool.take(ORIGIN)).toBeUndefined();
});

it("gives none that had no work for as long as it may have none, and closes it", () => {
  let nowMs = 0;
  const pool = createConnectionPool(() => nowMs, IDLE_MS);
  const [old, fresh] = [openConnection(), openConnection()];
  pool.give(ORIGIN, old);
  nowMs = 1;
  pool.give(ORIGIN, fresh);
  nowMs = IDLE_MS;
  expect(pool.take(ORIGIN)).toBe(fresh);
  expect(pool.take(ORIGIN)).toBeUndefined();
  expect(old.closed()).toBe(true);
  expect(fresh.closed()).toBe(false);
});

it("gives none that the other side has closed", () => {
  const pool = createConnectionPool(() => 0, IDLE_MS);
  const closed = openConnection();
  pool.give(ORIGIN, closed);
  closed.close();
  expect(pool.take(ORIGIN)).toBeUndefined();
});
