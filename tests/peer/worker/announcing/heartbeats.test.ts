import { expect, it } from "vitest";
import { CoordinatorProblem, CoordinatorUnreachable } from "#peer/coordinator/errors";
import {
  createHeartbeats,
  type Heartbeats,
  type NodeHeartbeat,
  type NodeState,
} from "#peer/worker/announcing/heartbeats";
import type { HeartbeatAnswer } from "#protocol/heartbeat";
import type { ModelOffer } from "#protocol/model-offer";
import { type FakeClock, fakeClock } from "../fake-clock";
import { watched, type Watched } from "../fake-network";

type Answer = () => Promise<HeartbeatAnswer>;
type SetUp = {
  readonly clock: FakeClock;
  readonly sent: Watched<NodeHeartbeat>;
  readonly news: string[];
  readonly heartbeats: Heartbeats;
  state: NodeState;
  answer: Answer;
};

const seen: Answer = () => Promise.resolve({ status: "seen", next_in_seconds: 15 });
const away: Answer = () => Promise.reject(new CoordinatorUnreachable("away"));

function setUp(): SetUp {
  const clock = fakeClock();
  const sent = watched<NodeHeartbeat>();
  const news: string[] = [];
  const heartbeats = createHeartbeats({
    urls: ["http://127.0.0.1:8080"],
    version: "0.1.0",
    clock,
    state: () => under.state,
    send(heartbeat) {
      sent.push(heartbeat);
      return under.answer();
    },
    news: {
      lost: () => news.push("lost"),
      back: () => news.push("back"),
      suspended: () => undefined,
    },
  });
  const state = {
    offers: offers("a", "b"),
    isFull: false,
    running: 0,
    waiting: 0,
    concurrency: 4,
    held: undefined,
    lendsUntilMs: undefined,
    gpus: [],
    speeds: (ids: readonly string[]) =>
      ids.includes("c") ? [{ model: "c", decode_tokens_per_s: 30 }] : [],
  };
  const under: SetUp = { clock, sent, news, heartbeats, state, answer: seen };
  return under;
}

function offers(...ids: readonly string[]): ModelOffer[] {
  return ids.map((id) => ({ id, engine: "vllm", state: "loaded" }));
}

it("says what it offers at once, then every interval", async () => {
  const { clock, sent, heartbeats } = setUp();
  await heartbeats.start();
  expect(sent.all).toMatchObject([{ state: "serving", models: [{ id: "a" }, { id: "b" }] }]);
  clock.advance(14_999);
  expect(sent.all).toHaveLength(1);
  clock.advance(1);
  expect(sent.all).toHaveLength(2);
});

it("says at once which models came and went, and says it again until it was heard", async () => {
  const under = setUp();
  const { sent, heartbeats, clock } = under;
  await heartbeats.start();
  under.answer = away;
  under.state = { ...under.state, offers: offers("b", "c") };
  heartbeats.offerChanged();
  await heartbeats.settled();
  under.answer = seen;
  clock.advance(15_000);
  await heartbeats.settled();
  under.state = { ...under.state, offers: offers("b") };
  heartbeats.offerChanged();
  await heartbeats.settled();
  expect(sent.all.map(({ withdrawn }) => withdrawn)).toEqual([[], ["a"], ["a"], ["c"]]);
  expect(sent.all.map(({ speeds }) => speeds?.length)).toEqual([undefined, 1, 1, undefined]);
});

it("withdraws a model even if the heartbeat that offered it went unanswered", async () => {
  const under = setUp();
  under.answer = away;
  await under.heartbeats.start();
  under.state = { ...under.state, offers: [] };
  under.answer = seen;
  under.clock.advance(15_000);
  await under.heartbeats.settled();
  expect(under.sent.all.at(-1)).toMatchObject({ models: [], withdrawn: ["a", "b"] });
});

it("tells of being full and free soon, but not of a moment's fullness", async () => {
  const under = setUp();
  const { sent, heartbeats, clock } = under;
  await heartbeats.start();
  clock.advance(5_000);
  under.state = { ...under.state, isFull: true };
  heartbeats.loadChanged();
  under.state = { ...under.state, isFull: false };
  heartbeats.loadChanged();
  clock.advance(250);
  expect(sent.all).toHaveLength(1);
  under.state = { ...under.state, isFull: true, running: 4 };
  heartbeats.loadChanged();
  clock.advance(250);
  await heartbeats.settled();
  expect(sent.all.at(-1)).toMatchObject({ state: "busy", running: 4 });
  under.state = { ...under.state, isFull: false, running: 3 };
  heartbeats.loadChanged();
  clock.advance(999);
  expect(sent.all.at(-1)).toMatchObject({ state: "busy" });
  clock.advance(1);
  expect(sent.all.at(-1)).toMatchObject({ state: "serving", running: 3 });
});

it("says at once that its owner needs it and why, goes on with heartbeats, and comes back with all models", async () => {
  const under = setUp();
  const { sent, heartbeats, clock } = under;
  await heartbeats.start();
  const lending = under.state;
  const gpus = [{ name: "NVIDIA H200" }];
  under.state = { ...lending, held: "gpu_in_use", lendsUntilMs: clock.wallMs(), gpus };
  heartbeats.offerChanged();
  await heartbeats.settled();
  const held = { state: "paused", reason: "gpu_in_use", models: [], withdrawn: ["a", "b"], gpus };
  expect(sent.all.at(-1)).toMatchObject(held);
  expect(sent.all.at(-1)).not.toHaveProperty("lends_until");
  clock.advance(15_000);
  await heartbeats.settled();
  expect(sent.all.at(-1)).toMatchObject({ state: "paused", withdrawn: [] });
  const lendsUntilMs = Date.UTC(2030, 0, 1, 18) + 1;
  under.state = { ...lending, lendsUntilMs };
  heartbeats.offerChanged();
  await heartbeats.settled();
  expect(sent.all.at(-1)).toMatchObject({
    state: "serving",
    models: [{ id: "a" }, { id: "b" }],
    lends_until: Date.UTC(2030, 0, 1, 18) / 1_000 + 1,
  });
  expect(sent.all.at(-1)).not.toHaveProperty("reason");
});

it("sends one at a time: what changes meanwhile goes right after", async () => {
  const under = setUp();
  const { sent, heartbeats, clock } = under;
  await heartbeats.start();
  const slow = Promise.withResolvers<HeartbeatAnswer>();
  under.answer = () => slow.promise;
  heartbeats.offerChanged();
  heartbeats.offerChanged();
  expect(sent.all).toHaveLength(2);
  under.answer = seen;
  slow.resolve({ status: "seen", next_in_seconds: 15 });
  await heartbeats.settled();
  expect(sent.all).toHaveLength(3);
  clock.advance(14_999);
  expect(sent.all).toHaveLength(3);
});

it("tries again while the coordinator is away, and says so to its news", async () => {
  const under = setUp();
  under.answer = away;
  await under.heartbeats.start();
  for (let step = 0; step < 3; step++) {
    under.clock.advance(15_000);
    await under.heartbeats.settled();
  }
  under.answer = seen;
  under.clock.advance(15_000);
  await under.heartbeats.settled();
  expect(under.news.at(-1)).toBe("back");
  expect(under.news.filter((line) => line === "back")).toHaveLength(1);
  const before = under.sent.all.length;
  under.clock.advance(15_000);
  expect(under.sent.all).toHaveLength(before + 1);
});

it("does not start against a coordinator that says no to the node itself", async () => {
  const under = setUp();
  const body = { type: "about:blank", title: "no", requestId: "r" } as const;
  under.answer = () =>
    Promise.reject(
      new CoordinatorProblem(
        "no",
        { ...body, status: 400, code: "address_not_allowed" },
        undefined,
      ),
    );
  await expect(under.heartbeats.start()).rejects.toThrow("no");
});

it("says goodbye after what is under way: a late answer must not undo it", async () => {
  const under = setUp();
  const { heartbeats, sent } = under;
  await heartbeats.start();
  const slow = Promise.withResolvers<HeartbeatAnswer>();
  under.answer = () => slow.promise;
  heartbeats.offerChanged();
  const gone = heartbeats.leave();
  under.answer = seen;
  await Promise.resolve();
  expect(sent.all.map(({ state }) => state)).toEqual(["serving", "serving"]);
  slow.resolve({ status: "seen", next_in_seconds: 15 });
  await gone;
  expect(sent.all.map(({ state }) => state)).toEqual(["serving", "serving", "leaving"]);
});

it("says goodbye, and nothing after it", async () => {
  const { clock, sent, heartbeats } = setUp();
  await heartbeats.start();
  await heartbeats.leave();
  expect(sent.all.at(-1)).toMatchObject({
    state: "leaving",
    models: [],
    withdrawn: ["a", "b"],
  });
  heartbeats.offerChanged();
  clock.advance(60_000);
  expect(sent.all).toHaveLength(2);
});
