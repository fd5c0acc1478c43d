import type { Registration } from "#protocol/register";
import { coordinatorApi } from "../coordinator/api";
import { keepOffProxy } from "../engines/keep-off-proxy";
import { enrol } from "../home/enrol";
import { appError } from "./app-error";
import { createBodyBudget } from "./body-budget";
import { handle } from "./handle";
import { createLeases } from "./leases";
import { createModels } from "./model-list";
import { createNodeOrder } from "./node-order";
import type { ClientOptions } from "./options";
import { tellOfTicket } from "./tell-of-ticket";

const TEND_MS = 1_000;

/** `troop client`: OpenAI's API on this machine, answered by other people's workers. Resolves after an orderly stop. */
export async function runClient(options: ClientOptions): Promise<void> {
  const { home, host, signal } = options;
  const api = coordinatorApi({ baseUrl: options.coordinatorUrl, identity: home.identity });
  keepOffProxy(process.env, []);

  let registration: Registration | undefined;
  let enrolling: Promise<Registration> | undefined;
  const enrolled = (): Promise<Registration> => {
    if (registration !== undefined) return Promise.resolve(registration);
    enrolling ??= enrol(home, api)
      .then((got) => (registration = got))
      .finally(() => (enrolling = undefined));
    return enrolling;
  };
  const leases = createLeases(api, Date.now);
  const deps = {
    identity: home.identity,
    leases,
    order: createNodeOrder(Date.now),
    allowedRanges: () => registration?.allowed_ranges ?? [],
    nowMs: Date.now,
    models: createModels(() => api.models(), Date.now),
    bodies: createBodyBudget(),
    listening: host,
    enrolled,
  };
  leases.onExtended((lease) => void tellOfTicket(deps, lease));

  // Listens before anything slow; what comes early waits for the enrolment.
  const server = Bun.serve({
    hostname: host,
    port: options.port,
    idleTimeout: 0,
    // Bodies are measured while they are read, so that the refusal is ours and in JSON.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch: (request) => handle(deps, request),
    error: () => appError(500, "internal", "Something failed in this client. Try again."),
  });
  options.onReady?.({ url: `http://${host.includes(":") ? `[${host}]` : host}:${server.port}` });

  enrolled()
    .then(() => deps.models.list())
    .catch((error: unknown) => {
      options.say(error instanceof Error ? error.message : "The coordinator cannot be used.");
    });
  const tending = setInterval(() => leases.tend(), TEND_MS);
  await aborted(signal);
  clearInterval(tending);
  await server.stop(true);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
