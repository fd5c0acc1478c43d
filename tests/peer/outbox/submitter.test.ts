import { expect, it, onTestFinished } from "vitest";
import { CoordinatorProblem, CoordinatorUnreachable } from "#peer/coordinator/errors";
import { readOutbox } from "#peer/outbox/outbox-summary";
import { createSubmitter, type Submitter } from "#peer/outbox/submitter";
import { openReceiptOutbox, type ReceiptOutbox } from "#peer/worker/serve/receipt-outbox";
import { PROBLEMS, type ProblemCode } from "#protocol/problem";
import { ReceiptClaims } from "#protocol/receipt";
import type { SubmitAnswer, SubmitRequest } from "#protocol/submit";
import { temporaryFolder } from "../home/temporary-folder";
import { type FakeClock, fakeClock } from "../worker/fake-clock";
import { watched, type Watched } from "../worker/fake-network";

const LEASE = "00000000-0000-4000-8000-000000000001";

type Submit = (request: SubmitRequest) => Promise<SubmitAnswer>;
type SetUp = {
  readonly folder: string;
  readonly clock: FakeClock;
  readonly outbox: ReceiptOutbox;
  readonly submitter: Submitter;
  readonly calls: Watched<SubmitRequest>;
  readonly refused: string[];
  readonly serve: (count: number) => void;
};

async function setUp(submit: Submit = settle): Promise<SetUp> {
  const clock = fakeClock();
  const folder = await temporaryFolder();
  const outbox = openReceiptOutbox(folder, "https://troop.example");
  onTestFinished(() => outbox.close());
  const calls = watched<SubmitRequest>();
  const refused: string[] = [];
  const submitter = createSubmitter({
    outbox,
    clock,
    submit: async (receipts, tickets) => {
      const request = { tickets, receipts };
      calls.push(request);
      return submit(request);
    },
    onRefused: (code) => refused.push(code),
  });
  let seq = 0;
  const serve = (count: number): void => {
    for (let each = 0; each < count; each++) {
      const opened = {
        lease: LEASE,
        seq: (seq += 1),
        model: "m",
        engine: "vllm",
        started_at_ms: clock.wallMs(),
        queue_ms: 0,
        request_hash: "x".repeat(43),
      } as const;
      const draft = { ...opened, engine_ms: 5, outcome: "completed" } as const;
      outbox.complete(outbox.open(`ticket-${seq % 2}`, opened), draft);
      submitter.wake();
    }
  };
  return { folder, clock, outbox, submitter, calls, refused, serve };
}

function settle({ receipts }: SubmitRequest): Promise<SubmitAnswer> {
  return Promise.resolve({ results: receipts.map(() => ({ status: "settled", amount: 1 })) });
}

function problem(code: ProblemCode, retryAfterMs?: number): CoordinatorProblem {
  const [status, title] = PROBLEMS[code];
  const body = { type: "about:blank", title, status, code, requestId: "r" } as const;
  return new CoordinatorProblem(title, body, retryAfterMs);
}

function seqs({ receipts }: SubmitRequest): number[] {
  return receipts.map((said) => ReceiptClaims.parse(said).seq);
}

it("gathers receipts for a tenth of a second and signs each", async () => {
  const { clock, outbox, calls, submitter, serve } = await setUp();
  serve(3);
  clock.advance(99);
  expect(calls.all).toHaveLength(0);
  clock.advance(1);
  const call = await calls.until(() => true);
  expect(seqs(call)).toEqual([1, 2, 3]);
  expect(call.tickets.toSorted()).toEqual(["ticket-0", "ticket-1"]);
  await submitter.flush();
  expect(outbox.unsentCount).toBe(0);
});

it("calls no more often than every 0.4 seconds while receipts keep coming one by one", async () => {
  const { clock, calls, serve, submitter } = await setUp();
  for (let each = 0; each < 60; each++) {
    serve(1);
    clock.advance(50);
    await submitter.settled();
  }
  // Three seconds, the first call after a tenth of one.
  expect(calls.all).toHaveLength(8);
});

it("sends full batches at once, and never more than a call may carry", async () => {
  const { calls, serve, submitter } = await setUp();
  serve(250);
  await submitter.flush();
  expect(calls.all.map(({ receipts }) => receipts.length)).toEqual([100, 100, 50]);
});

it("sends a batch again whose answer was lost, until the coordinator says that it has it", async () => {
  let tries = 0;
  const { clock, calls, outbox, serve, submitter } = await setUp((request) => {
    tries += 1;
    if (tries < 3) return Promise.reject(new CoordinatorUnreachable("away"));
    const status = "already_settled";
    return Promise.resolve({ results: request.receipts.map(() => ({ status, amount: 1 })) });
  });
  serve(2);
  for (let call = 1; call <= 3; call++) {
    clock.advance(60_000);
    await calls.until(() => calls.all.length === call);
    await submitter.settled();
  }
  expect(calls.all.map(seqs)).toEqual([
    [1, 2],
    [1, 2],
    [1, 2],
  ]);
  expect(new Set(calls.all.flatMap(seqs)).size).toBe(2);
  expect(outbox.unsentCount).toBe(0);
});

it("waits longer after each failure, and as long as the coordinator asks", async () => {
  const errors: Error[] = [
    new CoordinatorUnreachable("away"),
    problem("rate_limited", 7_000),
    problem("store_unavailable"),
  ];
  const { clock, serve, submitter } = await setUp(() =>
    Promise.reject(errors.shift() ?? new Error()),
  );
  serve(1);
  clock.advance(400);
  await submitter.settled();
  expect(retryIn(clock)).toBeLessThanOrEqual(1_000);
  clock.advance(1_000);
  await submitter.settled();
  expect(retryIn(clock)).toBe(7_000);
  serve(200); // New ones do not bring the next try forward.
  expect(retryIn(clock)).toBe(7_000);
  clock.advance(7_000);
  await submitter.settled();
  expect(retryIn(clock)).toBeGreaterThan(1_000);
});

it("keeps a refused receipt aside and goes on with the others", async () => {
  const { folder, outbox, refused, serve, submitter } = await setUp(async (request) => {
    const answer = await settle(request);
    return { results: answer.results.with(1, { status: "refused", code: "lease_unknown" }) };
  });
  serve(3);
  await submitter.flush();
  expect(outbox.unsentCount).toBe(0);
  expect(refused).toEqual(["lease_unknown"]);
  expect(readOutbox(folder, "worker")).toEqual({
    waiting: 0,
    unfinished: 0,
    refused: [{ code: "lease_unknown", count: 1 }],
  });
});

it("sends again what the coordinator did not look at", async () => {
  const { outbox, calls, refused, serve, submitter } = await setUp(async (request) => {
    const [first, ...rest] = (await settle(request)).results;
    const full = rest.map(() => ({ status: "refused", code: "batch_full" }) as const);
    return { results: first === undefined ? full : [first, ...full] };
  });
  serve(3);
  await submitter.flush();
  expect(calls.all.map(seqs)).toEqual([[1, 2, 3], [2, 3], [3]]);
  expect([outbox.unsentCount, refused]).toEqual([0, []]);
});

it("waits where the coordinator looks at nothing", async () => {
  const { clock, calls, outbox, serve, submitter } = await setUp((request) => {
    const full = { status: "refused", code: "batch_full" } as const;
    return Promise.resolve({ results: request.receipts.map(() => full) });
  });
  serve(2);
  await submitter.flush();
  expect([calls.all.length, outbox.unsentCount]).toEqual([1, 2]);
  expect(retryIn(clock)).toBeLessThanOrEqual(1_000);
});

it("finds the one receipt that makes a whole batch unreadable", async () => {
  const { outbox, refused, serve, submitter } = await setUp((request) =>
    seqs(request).includes(2) ? Promise.reject(problem("request_invalid")) : settle(request),
  );
  serve(4);
  await submitter.flush();
  expect(outbox.unsentCount).toBe(0);
  expect(refused).toEqual(["request_invalid"]);
});

it("does not take an answer that does not fit for one", async () => {
  const { outbox, serve, submitter } = await setUp(() => Promise.resolve({ results: [] }));
  serve(2);
  await submitter.flush();
  expect(outbox.unsentCount).toBe(2);
});

function retryIn(clock: FakeClock): number {
  return Math.max(...clock.due);
}
