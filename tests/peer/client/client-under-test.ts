import { onTestFinished } from "vitest";
import { runClient } from "#peer/client/run";
import type { Home } from "#peer/home/home";
import { openHome } from "#peer/home/open-home";
import { AuthorizeRequest, ExtendRequest, type Authorization } from "#protocol/authorize";
import type { ModelList } from "#protocol/directory";
import { AckClaims } from "#protocol/ack";
import { SubmitRequest, type SubmitResult } from "#protocol/submit";
import { TicketClaims } from "#protocol/ticket";
import { decodeJwt } from "jose";
import {
  type FakeCoordinator,
  fakeCoordinator,
  problem,
  registrationOf,
  type SeenCall,
} from "../coordinator/fake-coordinator";
import { temporaryFolder } from "../home/temporary-folder";
import {
  ISSUER,
  MODEL,
  signingKey,
  type SigningKey,
  ticketClaims,
  type Watched,
  watched,
} from "../worker/fake-network";
import { type Behaviour, type FakeNode, fakeNode } from "./fake-node";

export { MODEL };
export const CHAT = "/v1/chat/completions";

/** `iss`: the peer that sent it. */
type SentAck = AckClaims & { readonly iss: string };

export type ClientNetwork = {
  readonly key: SigningKey;
  readonly issuer: string;
  readonly coordinator: FakeCoordinator;
  /** In the order in which the coordinator names them. */
  readonly nodes: FakeNode[];
  /** Bodies of the calls to `/authorize`. */
  readonly authorized: readonly AuthorizeRequest[];
  readonly extended: readonly ExtendRequest[];
  /** What clients said of their requests, each by who sent it and with its ticket. */
  readonly acks: Watched<SentAck>;
  /** Changes what leases hold from now on. */
  budget: number;
  ranges: string[];
  models: readonly string[];
  /** What the coordinator expects of the nodes of a lease, in their order. */
  expectedMs: (place: number) => number;
  addNode(answer?: Behaviour): Promise<FakeNode>;
};

function rankIn(preferred: readonly string[] | undefined, id: string): number {
  return preferred?.includes(id) === true ? 0 : 1;
}

/** A coordinator that grants leases for the nodes that a test adds. */
export async function clientNetwork(): Promise<ClientNetwork> {
  const key = await signingKey("key-1");
  const authorized: AuthorizeRequest[] = [];
  const extended: ExtendRequest[] = [];
  const acks = watched<SentAck>();

  async function ticketFor(
    clientId: string,
    nodes: readonly FakeNode[],
    model: string,
    lease: string,
    budget: number,
  ): Promise<string> {
    const [first] = nodes;
    return key.sign(
      ticketClaims(first?.id ?? "", clientId, {
        aud: nodes.map(({ id }) => id),
        rates: Object.fromEntries(nodes.map(({ id }) => [id, 1_000_000])),
        jti: lease,
        model,
        budget,
      }),
    );
  }

  const coordinator = fakeCoordinator({
    "POST /register": ({ peerId }) =>
      Response.json({
        ...registrationOf(peerId, Date.now()),
        issuer: ISSUER,
        jwks: { keys: [key.publicKey] },
        allowed_ranges: network.ranges,
      }),
    "GET /v1/models": () => Response.json(modelList(network.models)),
    "POST /authorize": async ({ body, peerId }) => {
      const asked = AuthorizeRequest.parse(JSON.parse(body));
      authorized.push(asked);
      const nodes = network.nodes
        .filter(({ id }) => asked.exclude?.includes(id) !== true)
        .filter(({ id }) => asked.only?.includes(id) !== false)
        .toSorted((a, b) => rankIn(asked.prefer, a.id) - rankIn(asked.prefer, b.id))
        .slice(0, 3);
      if (nodes.length === 0) return problem("model_unavailable");
      const lease_id = crypto.randomUUID();
      const granted: Authorization = {
        ticket: await ticketFor(peerId, nodes, asked.model, lease_id, network.budget),
        lease_id,
        network: "public",
        model: asked.model,
        budget: network.budget,
        expires_at: Math.floor(Date.now() / 1_000) + 300,
        candidates: nodes.map(({ id, url, e2eKey }, place) => ({
          node_id: id,
          urls: [url],
          e2e_key: e2eKey,
          engine: "vllm",
          rate: 1_000_000,
          own: false,
          expected_ms: network.expectedMs(place),
        })),
      };
      return Response.json(granted);
    },
    "POST /authorize/extend": async ({ body, peerId }) => {
      const asked = ExtendRequest.parse(JSON.parse(body));
      extended.push(asked);
      const { jti, model, budget, aud } = TicketClaims.parse(decodeJwt(asked.ticket));
      const nodes = network.nodes.filter(({ id }) => aud.includes(id));
      return Response.json({
        ticket: await ticketFor(peerId, nodes, model, jti, budget + asked.add),
        lease_id: jti,
        budget: budget + asked.add,
        expires_at: Math.floor(Date.now() / 1_000) + 300,
      });
    },
    "POST /transactions/submit": ({ body, peerId }) => {
      const batch = SubmitRequest.parse(JSON.parse(body));
      const leases = new Set(
        batch.tickets.map((ticket) => TicketClaims.parse(decodeJwt(ticket)).jti),
      );
      const results = (batch.acks ?? []).map((said): SubmitResult => {
        const ack = { ...AckClaims.parse(said), iss: peerId };
        if (!leases.has(ack.lease)) return { status: "refused", code: "ticket_missing" };
        acks.push(ack);
        return { status: "kept" };
      });
      return Response.json({ results });
    },
  });
  onTestFinished(() => coordinator[Symbol.asyncDispose]());

  const network: ClientNetwork = {
    key,
    issuer: ISSUER,
    coordinator,
    nodes: [],
    authorized,
    extended,
    acks,
    budget: 60_000_000,
    ranges: ["127.0.0.0/8"],
    models: [MODEL],
    // Far enough apart for the order to be the test's.
    expectedMs: (place) => 1_000 * (place + 1),
    async addNode(answer) {
      const node = await fakeNode(network, answer);
      network.nodes.push(node);
      return node;
    },
  };
  return network;
}

/** Calls that a client waits for; its acks go to the coordinator when no app waits. */
export function callsOf({ coordinator }: Pick<ClientNetwork, "coordinator">): readonly SeenCall[] {
  return coordinator.seen.filter(({ target }) => target !== "/transactions/submit");
}

export function modelList(ids: readonly string[]): ModelList {
  return {
    object: "list",
    data: ids.map((id) => ({ id, object: "model", created: 1_750_000_000, owned_by: "troop" })),
  };
}

export type ClientUnderTest = {
  readonly url: string;
  readonly home: Home;
  readonly said: readonly string[];
  /** A chat completion, unless the test says otherwise. */
  post(post?: Post): Promise<Response>;
  get(target: string, init?: RequestInit): Promise<Response>;
  stop(): Promise<void>;
};

export type Post = {
  readonly target?: string;
  readonly body?: BodyInit;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
};

export function chatBody(more: Record<string, unknown> = {}): string {
  const messages = [{ role: "user", content: "Say something." }];
  return JSON.stringify({ model: MODEL, messages, ...more });
}

/** A client on a free port; it stops with the test. */
export async function startClient(
  network: Pick<ClientNetwork, "coordinator">,
  options: {
    readonly home?: Home;
    readonly apiKey?: string;
    readonly origins?: readonly string[];
    readonly drainMs?: number;
    readonly patienceMs?: number;
    readonly engines?: readonly string[];
    readonly aliases?: ReadonlyMap<string, string>;
    readonly prefer?: readonly string[];
    readonly only?: readonly string[];
  } = {},
): Promise<ClientUnderTest> {
  const home = options.home ?? (await openHome(await temporaryFolder()));
  const said: string[] = [];
  const stopping = new AbortController();
  let stopped: Promise<void> | undefined;
  const { url } = await new Promise<{ url: string }>((resolve, reject) => {
    stopped = runClient({
      home,
      coordinatorUrl: network.coordinator.baseUrl,
      host: "127.0.0.1",
      port: 0,
      apiKey: options.apiKey,
      origins: options.origins,
      ...(options.drainMs !== undefined && { drainMs: options.drainMs }),
      ...(options.patienceMs !== undefined && { patienceMs: options.patienceMs }),
      engines: options.engines,
      aliases: options.aliases,
      prefer: options.prefer,
      only: options.only,
      env: {},
      say: (line) => said.push(line),
      signal: stopping.signal,
      onReady: resolve,
    });
    stopped.catch(reject);
  });
  const stop = async (): Promise<void> => {
    stopping.abort();
    await stopped;
  };
  onTestFinished(stop);
  return {
    url,
    home,
    said,
    post: ({ target = CHAT, body = chatBody(), headers, signal } = {}) =>
      fetch(url + target, {
        method: "POST",
        body,
        headers: { "content-type": "application/json", ...headers },
        ...(signal !== undefined && { signal }),
      }),
    get: (target, init) => fetch(url + target, init),
    stop,
  };
}

/** A network of nodes that answer so, and a client whose lease will name them in this order. */
export async function startWith(
  ...answers: readonly Behaviour[]
): Promise<{ network: ClientNetwork; client: ClientUnderTest }> {
  const network = await clientNetwork();
  for (const answer of answers) await network.addNode(answer);
  return { network, client: await startClient(network) };
}

/** A network with one node that answers so, and a client that has its ticket already. */
export async function startWarm(
  answer?: Behaviour,
): Promise<{ network: ClientNetwork; node: FakeNode; client: ClientUnderTest }> {
  const network = await clientNetwork();
  const node = await network.addNode();
  const client = await startClient(network);
  await (await client.post()).text();
  if (answer !== undefined) node.answer = answer;
  return { network, node, client };
}
