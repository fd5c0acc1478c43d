import { expect, it } from "vitest";
import { createSessions } from "#peer/worker/admission/sessions";
import { createSessionAcceptor, generateE2eKey, openSession } from "#protocol/e2e-session";
import type { TicketClaims } from "#protocol/ticket";
import { fakeClock } from "../fake-clock";
import { ticketClaims } from "../fake-network";

const NODE = "n".repeat(43);
const CLIENT = "c".repeat(43);
const START_MS = Date.UTC(2030, 0, 1);
const END_S = START_MS / 1_000 + 300;

async function setUp(mostKept?: number) {
  const key = await generateE2eKey();
  const clock = fakeClock(START_MS);
  const accept = await createSessionAcceptor(key);
  const sessions = createSessions({ accept }, NODE, clock, mostKept);
  const begin = async (changes: Partial<TicketClaims> = {}) => {
    const claims = ticketClaims(NODE, CLIENT, { exp: END_S, ...changes });
    const begun = await openSession(key.x, { leaseId: claims.jti, nodeId: NODE });
    return { enc: begun?.enc ?? expect.unreachable(), claims };
  };
  return { clock, sessions, begin };
}

it("keeps a session until its ticket has ended, or a later one of the lease", async () => {
  const { clock, sessions, begin } = await setUp();
  const { enc, claims } = await begin();
  const session = await sessions.open(enc, claims);
  clock.advance(329_000);
  expect(sessions.find(enc, claims)).toBe(session);
  const later = { ...claims, exp: END_S + 300 };
  expect(sessions.find(enc, later)).toBe(session);
  clock.advance(300_000);
  expect(sessions.find(enc, claims)).toBe(session);
  clock.advance(2_000);
  expect(sessions.find(enc, later)).toBeUndefined();
});

it("gives one session to requests that begin it together", async () => {
  const { sessions, begin } = await setUp();
  const { enc, claims } = await begin();
  const both = await Promise.all([sessions.open(enc, claims), sessions.open(enc, claims)]);
  expect(both[0]).toBe(both[1]);
  expect(sessions.find(enc, claims)).toBe(both[0]);
});

it("keeps the latest session of a lease", async () => {
  const { sessions, begin } = await setUp();
  const first = await begin();
  const second = await begin({ jti: first.claims.jti });
  await sessions.open(first.enc, first.claims);
  await sessions.open(second.enc, second.claims);
  expect(sessions.find(first.enc, first.claims)).toBeUndefined();
  expect(sessions.find(second.enc, second.claims)).toBeDefined();
  expect(sessions.size).toBe(1);
});

it("makes a new salt whenever it takes a session up", async () => {
  const { sessions, begin } = await setUp(1);
  const [one, two] = [await begin(), await begin()];
  const first = await sessions.open(one.enc, one.claims);
  await sessions.open(two.enc, two.claims);
  expect(sessions.find(one.enc, one.claims)).toBeUndefined();
  const again = await sessions.open(one.enc, one.claims);
  expect(again?.salt).not.toBe(first?.salt);
});

it("forgets what has ended, and the oldest where there are too many", async () => {
  const { clock, sessions, begin } = await setUp(3);
  for (let each = 0; each < 5; each += 1) {
    const { enc, claims } = await begin();
    await sessions.open(enc, claims);
  }
  expect(sessions.size).toBe(3);
  clock.advance(400_000);
  const { enc, claims } = await begin({ exp: END_S + 400 });
  await sessions.open(enc, claims);
  expect(sessions.size).toBe(1);
});

it("keeps a session for the peer that began it", async () => {
  const { sessions, begin } = await setUp();
  const { enc, claims } = await begin();
  await sessions.open(enc, claims);
  expect(sessions.find(enc, { ...claims, cnf: { jkt: "x".repeat(43) } })).toBeUndefined();
});

it("begins none from what is no key", async () => {
  const { sessions, begin } = await setUp();
  const { claims } = await begin();
  expect(await sessions.open("A".repeat(43), claims)).toBeUndefined();
  expect(sessions.size).toBe(0);
});
