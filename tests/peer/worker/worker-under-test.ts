import { onTestFinished } from "vitest";
import { type DemoEngine, type DemoEngineOptions, startDemoEngine } from "#demo/engine/start";
import type { Home } from "#peer/home/home";
import { openHome } from "#peer/home/open-home";
import type { Clock } from "#peer/worker/clock";
import type { WorkerOptions, WorkerReady } from "#peer/worker/options";
import { runWorker } from "#peer/worker/run";
import type { Identity } from "#protocol/identity";
import { hashBody, nodeAudience, PROOF_HEADER, signProof } from "#protocol/proof";
import { TICKET_HEADER } from "#protocol/ticket";
import { temporaryFolder } from "../home/temporary-folder";
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
  /** What the proof says of the body; its hash unless a test wants another. */
  readonly bodyHash?: string;
  readonly proofTarget?: string;
  readonly nowMs?: number;
};

export type WorkerUnderTest = {
  readonly network: FakeNetwork;
  readonly home: Home;
  readonly nodeId: string;
  readonly ready: WorkerReady;
  readonly said: Watched<string>;
  /** Sends a request as the client would: with a ticket, a proof and the next number. */
  post(post?: Post): Promise<Response>;
  ticket(claims?: Parameters<FakeNetwork["ticket"]>[1]): Promise<string>;
  /** Resolves when the worker has stopped. */
  stop(): Promise<void>;
};

/** What `post` sends and gets, for tests that do it by other means. */
export async function signedHeaders(
  worker: Pick<WorkerUnderTest, "network" | "nodeId">,
  post: Post,
  seq: number,
): Promise<Record<string, string>> {
  const { target = CHAT, body = chatBody() } = post;
  const proof = await signProof(
    post.identity ?? worker.network.client,
    {
      audience: nodeAudience(worker.nodeId),
      method: "POST",
      target: post.proofTarget ?? target,
      bodyHash: post.bodyHash ?? (await hashBody(body)),
      seq: post.seq ?? seq,
    },
    post.jti ?? crypto.randomUUID(),
    post.nowMs ?? Date.now(),
  );
  return {
    "content-type": "application/json",
    [TICKET_HEADER]: post.ticket ?? (await worker.network.ticket(worker.nodeId)),
    [PROOF_HEADER]: proof,
    ...post.headers,
  };
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

export type StartOptions = Partial<Pick<WorkerOptions, "concurrency" | "home" | "advertise">> & {
  readonly engines: readonly string[];
  readonly network?: FakeNetwork;
  readonly clock?: Clock;
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
      engines: options.engines,
      listen: { host: "127.0.0.1", port: 0 },
      advertise: options.advertise,
      concurrency: options.concurrency,
      refreshIntervalS: 180,
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
      return fetch(ready.url + (post.target ?? CHAT), {
        method: "POST",
        body: post.body ?? chatBody(),
        headers: await signedHeaders(under, post, lastSeq),
        ...(post.signal !== undefined && { signal: post.signal }),
      });
    },
  };
}
