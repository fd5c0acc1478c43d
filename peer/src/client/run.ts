import type { Candidate } from "#protocol/authorize";
import { type NetworkId, PUBLIC_NETWORK } from "#protocol/names";
import type { Membership } from "#protocol/network";
import type { Registration } from "#protocol/register";
import { coordinatorApi } from "../coordinator/api";
import { keepOffProxy } from "../engines/keep-off-proxy";
import { enrol, withEnrolment } from "../home/enrol";
import { namedNetworks } from "../home/named-networks";
import { readRegistration } from "../home/registration-file";
import { systemClock } from "../clock";
import { openAcks } from "./acks/acks";
import { appError } from "./app/app-error";
import { createBodyBudget } from "./app/body-budget";
import { handle } from "./handle";
import { createLeases } from "./leases/leases";
import { findLocalEngines } from "./local-engines";
import { createModels } from "./app/model-list";
import { createNetworks, type Desk } from "./networks";
import { dialledUrl } from "./call/node-call";
import { createNodeOrder } from "./nodes/node-order";
import type { ClientOptions } from "./options";
import { probeNode } from "./nodes/probe-node";
import { createSilenceWatch } from "./nodes/silence";
import { tellOfTicket } from "./leases/tell-of-ticket";
import { within } from "../within";
import { createTicks } from "./ticks";

const TEND_MS = 1_000;
const READ_MS = 2_000;
/** For the last words of what was cut. */
const LAST_WORDS_MS = 250;

/** `troop client`: OpenAI's API on this machine, answered by other people's workers. Resolves after an orderly stop. */
export async function runClient(options: ClientOptions): Promise<void> {
  const { home, host, signal } = options;
  const api = coordinatorApi({ baseUrl: options.coordinatorUrl, identity: home.identity });
  keepOffProxy(process.env, []);

  let registration: Registration | undefined;
  let main: NetworkId = PUBLIC_NETWORK;
  if (options.network !== undefined && options.network !== PUBLIC_NETWORK) {
    const named = await namedNetworks(home, api, [options.network]);
    registration = named.registration;
    main = named.ids[0] ?? PUBLIC_NETWORK;
  }
  let enrolling: Promise<Registration> | undefined;
  const enrolled = (): Promise<Registration> => {
    if (registration !== undefined) return Promise.resolve(registration);
    enrolling ??= enrol(home, api)
      .then((got) => (registration = got))
      .finally(() => {
        enrolling = undefined;
      });
    return enrolling;
  };
  /** A coordinator that lost its records is told of this peer again. */
  const asMember = <Value>(use: () => Promise<Value>): Promise<Value> => {
    const useIt = (got: Registration): Promise<Value> => {
      registration = got;
      return use();
    };
    return withEnrolment(home, api, useIt, registration);
  };

  await using cleanup = new AsyncDisposableStack();
  const acks = openAcks({
    home,
    coordinatorUrl: api.baseUrl,
    submit: (request) => asMember(() => api.submit(request)),
    clock: systemClock,
    say: options.say,
  });
  cleanup.defer(acks.stop);

  const { engines } = options;
  const local = engines === undefined ? undefined : findLocalEngines(engines, options.env);
  cleanup.defer(async () => local?.stop());

  const allowedRanges = (): readonly string[] => registration?.allowed_ranges ?? [];
  const node = { identity: home.identity, allowedRanges, nowMs: Date.now };
  const { prefer = [], only, patienceMs = 0 } = options;
  const order = createNodeOrder(systemClock.steadyMs, { prefer });
  /** A worker with this home is this peer; others of this user show when a lease names them. */
  const ownNodes = new Set<string>([home.identity.peerId]);
  /** Whether a node is there, and how far away. */
  const probe = async (candidate: Candidate): Promise<boolean> => {
    const url = dialledUrl(candidate, allowedRanges());
    if (url === undefined) return false;
    const probed = await probeNode(url);
    if (probed.state !== "there") return false;
    order.measured(candidate.node_id, probed.roundTripMs);
    return true;
  };
  const measure = (candidate: Candidate): void => {
    void probe(candidate).then((isThere) => isThere || order.failed(candidate.node_id));
  };
  const silence = createSilenceWatch(probeNode);
  const ticks = createTicks();
  const open = (network: NetworkId): Desk => {
    const place = network === PUBLIC_NETWORK ? {} : { network };
    return {
      leases: createLeases(
        {
          authorize: (body) => asMember(() => api.authorize({ ...body, ...place })),
          extend: (body) => api.extend(body),
        },
        Date.now,
        {
          onGranted({ places }) {
            for (const place of places) {
              measure(place.node);
              if (place.node.own) ownNodes.add(place.node.node_id);
            }
          },
          prefer: () => [...prefer, ...ownNodes],
          ...(only !== undefined && { only }),
          observations: () => order.observations(),
          onObserved: (told) => order.observed(told),
          conversationsOf: (nodeId) => order.conversationsOf(nodeId),
          onExtended: (lease) => void tellOfTicket(node, lease),
          isCrowded: (nodes) => order.isCrowded(nodes),
          patienceMs,
          steadyMs: systemClock.steadyMs,
        },
      ),
      models: createModels(() => asMember(() => api.models(place)), {
        nowMs: systemClock.steadyMs,
      }),
    };
  };
  const memberships = (): readonly Membership[] => registration?.memberships ?? [];
  const networks = createNetworks({ main: () => main, memberships, open });
  const deps = {
    ...node,
    acks: acks.book,
    networks,
    order,
    silence,
    ticks,
    surroundings: {
      hasChosenNodes: only !== undefined,
      // Without a way to look nothing is said about it.
      overlayAddress: options.overlayAddress ?? (() => ""),
    },
    patienceMs,
    aliases: options.aliases ?? new Map<string, string>(),
    local,
    bodies: createBodyBudget(),
    listening: host,
    apiKey: options.apiKey,
    origins: new Set(options.origins),
    enrolled,
  };

  // Listens before anything slow; what comes early waits for the enrolment.
  const server = Bun.serve({
    hostname: host,
    port: options.port,
    idleTimeout: 0,
    // Bodies are measured while they are read, so that the refusal is ours and in JSON.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch: (request) => handle(deps, request),
    error: ({ name }) => {
      // A fault of this program's own; its message could hold what an app said.
      options.say(`A request failed inside of this client (${name}).`);
      return appError(500, "internal", "Something failed in this client. Try again.");
    },
  });
  options.onReady?.({ url: `http://${host.includes(":") ? `[${host}]` : host}:${server.port}` });

  enrolled()
    .then(() => networks.desks().main.models.list())
    .catch((error: unknown) => {
      options.say(error instanceof Error ? error.message : "The coordinator cannot be used.");
    });
  acks.start();
  const tending = setInterval(() => {
    networks.tend();
    order.tend();
    silence.tick();
    local?.tick();
    ticks.tick();
    for (const candidate of networks.candidates()) {
      const { node_id } = candidate;
      if (order.takeProbe(node_id)) {
        void probe(candidate).then((isThere) => order.probed(node_id, isThere));
      } else if (order.takeMeasure(node_id)) {
        measure(candidate);
      }
    }
  }, TEND_MS);
  /** A network that this peer joins or leaves meanwhile is known from then on. */
  const reading = setInterval(() => {
    void readRegistration(home, api.baseUrl).then(
      (read) => (registration = read ?? registration),
      () => undefined, // What is known goes on.
    );
  }, READ_MS);
  await aborted(signal);
  // The port is free at once, for a client that takes this one's place.
  const finished = server.stop(false);
  await within(options.drainMs ?? 0, finished);
  acks.book.leaveAll();
  silence.cutBegun();
  local?.cutBegun();
  await within(LAST_WORDS_MS, finished);
  clearInterval(tending);
  clearInterval(reading);
  await server.stop(true);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
