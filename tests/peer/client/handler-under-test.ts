import { createAckBook } from "#peer/client/ack-book";
import { type BodyLimits, createBodyBudget } from "#peer/client/body-budget";
import { handle, type HandleDeps } from "#peer/client/handle";
import { createLeases } from "#peer/client/leases";
import { createModels } from "#peer/client/model-list";
import { createNetworks } from "#peer/client/networks";
import { createNodeOrder } from "#peer/client/node-order";
import { probeNode } from "#peer/client/probe-node";
import { createSilenceWatch } from "#peer/client/silence";
import { coordinatorApi } from "#peer/coordinator/api";
import { systemClock } from "#peer/clock";
import { generatePrivateKey, openIdentity } from "#protocol/identity";
import { CHAT, chatBody, type ClientNetwork } from "./client-under-test";

/** A client's handler without its server, for limits and times that a test sets. */
export type HandlerUnderTest = {
  readonly post: (body?: string) => Promise<Response>;
  /** Lets the list of models grow old. */
  readonly passListMs: (ms: number) => void;
};

export async function handlerFor(
  network: ClientNetwork,
  limits: BodyLimits = {},
): Promise<HandlerUnderTest> {
  const identity = await openIdentity(await generatePrivateKey());
  const api = coordinatorApi({ baseUrl: network.coordinator.baseUrl, identity });
  let listMs = 0;
  const deps: HandleDeps = {
    identity,
    acks: createAckBook({ clock: systemClock, keep() {} }),
    networks: createNetworks({
      main: () => "public",
      memberships: () => [],
      open: () => ({
        leases: createLeases(api, Date.now),
        models: createModels(() => api.models(), { nowMs: () => listMs }),
      }),
    }),
    order: createNodeOrder(Date.now),
    silence: createSilenceWatch(probeNode),
    bodies: createBodyBudget(limits),
    allowedRanges: () => ["127.0.0.0/8"],
    nowMs: Date.now,
    listening: "127.0.0.1",
    enrolled: () => Promise.resolve(),
  };
  return {
    post(body = chatBody()) {
      const headers = {
        host: "127.0.0.1",
        "content-type": "application/json",
        "content-length": String(Buffer.byteLength(body)),
      };
      return handle(
        deps,
        new Request(`http://127.0.0.1${CHAT}`, { method: "POST", headers, body }),
      );
    },
    passListMs(ms) {
      listMs += ms;
    },
  };
}
