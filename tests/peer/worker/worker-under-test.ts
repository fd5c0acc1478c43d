import { onTestFinished } from "vitest";
import { type DemoEngine, type DemoEngineOptions, startDemoEngine } from "#demo/engine/start";
import type { Home } from "#peer/home/home";
import { loadE2eKey } from "#peer/home/e2e-key-file";
import { openHome } from "#peer/home/open-home";
import type { Clock } from "#peer/clock";
import type { LendingSetup } from "#peer/lending/setup";
import type { WorkerOptions, WorkerReady } from "#peer/worker/options";
import { runWorker } from "#peer/worker/run";
import { callTag, directionKey } from "#peer/e2e/aead";
import { sealMessage } from "#peer/e2e/message-sealer";
import { WAIT_HEADER } from "#protocol/busy";
import { openSession } from "#protocol/e2e-session";
import type { Identity } from "#protocol/identity";
import { hashBody, nodeAudience, PROOF_HEADER, signProof } from "#protocol/proof";
import {
  formatSessionMark,
  SEALED_PATH,
  SEALED_TYPE,
  sealedHead,
  SESSION_HEADER,
} from "#protocol/sealed-message";
import { TICKET_HEADER, TicketClaims } from "#protocol/ticket";
import { decodeJwt } from "jose";
import { openResponse } from "../e2e/sealed-exchange";
import { temporaryFolder } from "../home/temporary-folder";
import { alwaysLending } from "./always-lending";
import { type FakeNetwork, fakeNetwork, MODEL, watched, type Watched } from "./fake-network";

export const CHAT = "/v1/chat/completions";

export type Post = {
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly target?: string;
  readonly ticket?: string;
  readonly seq?: number;
  readonly jti?: string;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
  /** Who signs; the ticket's peer unless a test wants another. */
  readonly identity?: Identity;
  /** What is said of the body; its hash unless a test wants another. */
  readonly bodyHash?: string;
  /** More that is wrong about the sealed head. */
  readonly head?: Record<string, unknown>;
  /** False: none comes along. */
  readonly proof?: false;
  /** What the proof says of the session. */
  readonly proofHash?: string;
  readonly proofTarget?: string;
  readonly nowMs?: number;
  /** For how long its client would wait for a place. */
  readonly waitMs?: number;
};

export type WorkerUnderTest = {
  readonly network: FakeNetwork;
  readonly home: Home;
  readonly nodeId: string;
  readonly ready: WorkerReady;
  readonly said: Watched<string>;
  /** Sends a request as the client would: sealed, with a ticket, a proof and the next number; opens the answer. */
  post(post?: Post): Promise<Response>;
  ticket(claims?: Parameters<FakeNetwork["ticket"]>[1]): Promise<string>;
  /** Resolves when the worker has stopped. */
  stop(): Promise<void>;
};

/** What `post` sends, for tests that do it by other means, and how to open what comes back. */
export type SealedPost = {
  readonly headers: Record<string, string>;
  readonly body: Buffer<ArrayBuffer>;
  readonly open: (answer: Response) => Promise<Response>;
};

type Session = NonNullable<Awaited<ReturnType<typeof openSession>>>;
/** By node and lease, as a client keeps them. */
const sessions = new Map<string, Promise<Session>>();

type Sealing = Pick<WorkerUnderTest, "network" | "nodeId"> & {
  readonly home: Pick<Home, "dir">;
};

async function sessionFor({ nodeId, home }: Sealing, leaseId: string): Promise<Session> {
  const { x } = await loadE2eKey(home.dir, () => {});
  const name = `${x} ${leaseId}`;
  const begun = sessions.get(name) ?? open(x, { leaseId, nodeId });
  sessions.set(name, begun);
  return begun;
}

async function open(...session: Parameters<typeof openSession>): Promise<Session> {
  const begun = await openSession(...session);
  if (begun === undefined) throw new Error("The key is none.");
  return begun;
}

export async function sealedPost(
  worker: Sealing,
  post: Post,
  defaultSeq: number,
): Promise<SealedPost> {
  const { target = CHAT, seq = defaultSeq } = post;
  const body = Buffer.from(post.body ?? chatBody());
  const ticket = post.ticket ?? (await worker.network.ticket(worker.nodeId));
  const session = await sessionFor(worker, leaseOf(ticket));
  const key = directionKey("request", session.requestKey);
  const head = sealedHead({
    target,
    headers: Object.entries({ "content-type": "application/json", ...post.headers }),
    length: body.length,
    hash: post.bodyHash ?? (await hashBody(new Uint8Array(body))),
    ...post.head,
  });
  const enc = new Uint8Array(Buffer.from(session.enc, "base64url"));
  const proven = {
    audience: nodeAudience(worker.nodeId),
    method: "POST",
    target: post.proofTarget ?? SEALED_PATH,
    bodyHash: post.proofHash ?? (await hashBody(enc)),
    seq,
  };
  const { identity = worker.network.client, jti = crypto.randomUUID(), nowMs = Date.now() } = post;
  const proof =
    post.proof === false ? {} : { [PROOF_HEADER]: await signProof(identity, proven, jti, nowMs) };
  return {
    headers: {
      "content-type": SEALED_TYPE,
      [TICKET_HEADER]: ticket,
      [SESSION_HEADER]: formatSessionMark({ enc: session.enc, seq, tag: callTag(key, seq) }),
      ...proof,
      ...(post.waitMs !== undefined && { [WAIT_HEADER]: String(post.waitMs) }),
    },
    body: sealMessage(key, seq, head, body),
    open: (answer) => openResponse(answer, session.answerKey, seq),
  };
}

function leaseOf(ticket: string): string {
  try {
    return TicketClaims.parse(decodeJwt(ticket)).jti;
  } catch {
    return "none"; // No ticket at all.
  }
}

export function chatBody(more: Record<string, unknown> = {}): string {
  const messages = [{ role: "user", content: "Say something." }];
  return JSON.stringify({ model: MODEL, messages, stream: true, ...more });
}

/** The demo engine as vLLM, unless a test wants another; it goes away with the test. */
export function engine(options: Partial<DemoEngineOptions> = {}): DemoEngine {
  const demo = startDemoEngine({ voice: "vllm", ...options });
  onTestFinished(() => demo.close());
  return demo;
}

export type StartOptions = Partial<
  Pick<
    WorkerOptions,
    "concurrency" | "perUser" | "queue" | "drainMs" | "home" | "advertise" | "networks"
  >
> & {
  readonly engines: readonly string[];
  readonly network?: FakeNetwork;
  readonly clock?: Clock;
  readonly lending?: Partial<LendingSetup>;
};

/** A worker on a free port; it stops with the test. */
export async function startWorker(options: StartOptions): Promise<WorkerUnderTest> {
  const network = options.network ?? (await fakeNetwork());
  const home = options.home ?? (await openHome(await temporaryFolder()));
  const said = watched<string>();
  const stopping = new AbortController();
  let stopped: Promise<void> | undefined;
  const ready = await new Promise<WorkerReady>((resolve, reject) => {
    const workerOptions: WorkerOptions = {
      home,
      coordinatorUrl: network.coordinator.baseUrl,
      networks: options.networks ?? [],
      engines: options.engines,
      listen: { host: "127.0.0.1", port: 0 },
      advertise: options.advertise,
      concurrency: options.concurrency,
      perUser: options.perUser,
      ...(options.queue !== undefined && { queue: options.queue }),
      ...(options.drainMs !== undefined && { drainMs: options.drainMs }),
      refreshIntervalS: 180,
      lending: { ...alwaysLending(home), ...options.lending },
      env: {},
      say: (line) => said.push(line),
      signal: stopping.signal,
      onReady: resolve,
    };
    stopped = runWorker(workerOptions, options.clock);
    stopped.catch(reject);
  });
  const stop = async (): Promise<void> => {
    stopping.abort();
    await stopped;
  };
  onTestFinished(stop);

  const nodeId = home.identity.peerId;
  let lastSeq = 0;
  const under = { network, home, nodeId, ready, said };
  return {
    ...under,
    ticket: (claims) => network.ticket(nodeId, claims),
    stop,
    async post(post = {}) {
      lastSeq += 1;
      const { headers, body, open } = await sealedPost(under, post, lastSeq);
      const answer = await fetch(ready.url + SEALED_PATH, {
        method: "POST",
        body,
        headers,
        ...(post.signal !== undefined && { signal: post.signal }),
      });
      return open(answer);
    },
  };
}
