import { createAckBook } from "#peer/client/acks/ack-book";
import { type BodyLimits, createBodyBudget } from "#peer/client/app/body-budget";
import { handle, type HandleDeps } from "#peer/client/handle";
import { createLeases } from "#peer/client/leases/leases";
import { createModels } from "#peer/client/app/model-list";
import { createNetworks } from "#peer/client/networks";
import { createNodeOrder, type NodeOrder } from "#peer/client/nodes/node-order";
import { probeNode } from "#peer/client/nodes/probe-node";
import { createSilenceWatch } from "#peer/client/nodes/silence";
import { createTicks } from "#peer/client/ticks";
import { coordinatorApi } from "#peer/coordinator/api";
import { type Clock, systemClock } from "#peer/clock";
import { generatePrivateKey, openIdentity } from "#protocol/identity";
import { CHAT, chatBody, type ClientNetwork } from "./client-under-test";

/** A client's handler without its server, for limits and times that a test sets. */
export type HandlerUnderTest = {
  readonly post: (body?: string, target?: string, signal?: AbortSignal) => Promise<Response>;
  /** What it knows of nodes. */
  readonly order: NodeOrder;
  /** How many nodes its requests may go to. */
  readonly nodes: () => number;
  /** Lets the list of models grow old. */
  readonly passListMs: (ms: number) => void;
  /** What a client does each second. */
  readonly tend: () => void;
  /** Lets so many seconds pass for what waits. */
  readonly wait: (seconds: number) => void;
};

export async function handlerFor(
  network: ClientNetwork,
  limits: BodyLimits = {},
  patience: Partial<Pick<HandleDeps, "local" | "patienceMs" | "random" | "surroundings">> = {},
  clock: Pick<Clock, "steadyMs" | "wallMs"> = systemClock,
): Promise<HandlerUnderTest> {
  const identity = await openIdentity(await generatePrivateKey());
  const api = coordinatorApi({ baseUrl: network.coordinator.baseUrl, identity });
  const order = createNodeOrder(clock.steadyMs);
  const leases = createLeases(api, Date.now, {
    isCrowded: (nodes) => order.isCrowded(nodes),
    steadyMs: clock.steadyMs,
  });
  const ticks = createTicks();
  let listMs = 0;
  const deps: HandleDeps = {
    identity,
    acks: createAckBook({ clock, keep() {} }),
    networks: createNetworks({
      main: () => "public",
      memberships: () => [],
      open: () => ({
        leases,
        models: createModels(() => api.models(), { nowMs: () => listMs }),
      }),
    }),
    order,
    silence: createSilenceWatch(probeNode),
    ticks,
    surroundings: { hasChosenNodes: false, overlayAddress: () => "" },
    ...patience,
    aliases: new Map<string, string>(),
    bodies: createBodyBudget(limits),
    allowedRanges: () => ["127.0.0.0/8"],
    nowMs: Date.now,
    listening: "127.0.0.1",
    origins: new Set<string>(),
    enrolled: () => Promise.resolve(),
  };
  return {
    order,
    async post(body = chatBody(), target = CHAT, signal = new AbortController().signal) {
      const headers = {
        host: "127.0.0.1",
        "content-type": "application/json",
        "content-length": String(Buffer.byteLength(body)),
      };
      return handle(
        deps,
        new Request(`http://127.0.0.1${target}`, { method: "POST", headers, body, signal }),
      );
    },
    wait(seconds) {
      for (let second = 0; second < seconds; second++) ticks.tick();
    },
    tend() {
      leases.tend();
      order.tend();
    },
    nodes: () => leases.candidates().length,
    passListMs(ms) {
      listMs += ms;
    },
  };
}
