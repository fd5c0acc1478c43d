import { CliError, EXIT } from "../cli/error";
import { coordinatorApi } from "../coordinator/api";
import { listenForControl } from "../control/listen";
import { engineCandidates } from "../engines/engine-env";
import { createEngineThere } from "../engines/engine-there";
import { unloadModel } from "../engines/read-models";
import { watchEngines } from "../engines/watch";
import { withEnrolment } from "../home/enrol";
import { createSubmitter } from "../outbox/submitter";
import { runProof } from "../hardware/run-proof";
import { gpuLabel } from "../lending/gpu-label";
import { createLending, isSameToOthers } from "../lending/lending";
import { isOffered } from "../lending/offered";
import { pauseFile } from "../lending/pause-file";
import { VERSION } from "../version";
import { advertisedUrl } from "./announcing/advertised-url";
import { createAvailability } from "./line/availability";
import { control } from "./control";
import { createCapacity } from "./line/capacity";
import { type Clock, systemClock } from "../clock";
import { createHeartbeats, type Heartbeats } from "./announcing/heartbeats";
import { createHardwareRounds } from "./announcing/hardware-rounds";
import { createJobs } from "./line/jobs";
import { createLeaseBook } from "./admission/lease-book";
import { createGiveBack } from "./serve/give-back";
import { createMeasuredSpeeds } from "./announcing/measured-speeds";
import { createMembership } from "./admission/membership";
import {
  coordinatorNews,
  modelNews,
  sayDecision,
  sayWhatIsMissing,
  sayWhatToDo,
} from "./announcing/news";
import { openNodeKey } from "./admission/node-key";
import type { WorkerOptions } from "./options";
import { createProofVerifier } from "./admission/proof-verifier";
import { openReceiptOutbox } from "./serve/receipt-outbox";
import { startNodeServer } from "./serve/server";
import { createSessions } from "./admission/sessions";
import { openServing } from "./announcing/serving";
import { createSpentProofs } from "./admission/spent-proofs";
import { stopInOrder } from "./stop-in-order";
import { createTicketBook } from "./admission/ticket-book";
import { createWaitingLine } from "./line/waiting-line";

const DRAIN_MS = 60_000;
/** Of one user. */
const MOST_WAITING = 4;

/**
 * Lends this machine's engines until `options.signal` aborts, then stops in order. Throws `CliError`,
 * `CoordinatorProblem` where the coordinator will not have this node, or what listening throws.
 */
export async function runWorker(options: WorkerOptions, clock: Clock = systemClock): Promise<void> {
  const { home, say, listen, drainMs = DRAIN_MS } = options;
  const { peerId: nodeId } = home.identity;
  const { candidates, refused } = engineCandidates(options.engines, options.env);
  if (refused[0] !== undefined) throw new CliError(EXIT.usage, `${refused[0].message}.`);
  advertisedUrl(listen, options.advertise);

  const nodeKey = await openNodeKey(home, say);
  const api = coordinatorApi({ baseUrl: options.coordinatorUrl, identity: home.identity });
  const serving = await openServing(home, api, { names: options.networks, say, clock });
  await using cleanup = new AsyncDisposableStack();
  const outbox = cleanup.adopt(openReceiptOutbox(home.dir, api.baseUrl), (file) => file.close());
  const membership = createMembership(home, api, clock);
  const submitter = createSubmitter({
    outbox,
    clock,
    submit: (receipts, tickets) =>
      withEnrolment(home, api, () => api.submit({ tickets, receipts }), membership.known()),
    onRefused: (code) => say(`The coordinator refused a receipt (${code}).`),
  });
  cleanup.defer(submitter.stop);
  const capacity = createCapacity({
    total: options.concurrency,
    perUser: options.perUser,
    clock,
    onFlip: () => heartbeats.loadChanged(),
    onFree: () => line.serve(),
  });
  const line = createWaitingLine({ capacity, eachUser: options.queue ?? MOST_WAITING, clock });
  const availability = createAvailability(() => {
    if (availability.closedBy !== undefined) line.sendAway(availability.closedBy);
  });
  // Until it sends the first, there is nothing to correct.
  let tellOfOffer = (): void => {};
  const { policy, localTimeZone } = options.lending;
  const giveBack = createGiveBack({
    policy,
    clock,
    jobs: () => jobs,
    unload: ({ engine, offer }) => unloadModel(engine, offer.id),
    onUnloaded(model) {
      say(`Unloaded ${model}: its memory is free again.`);
      void watch.refreshNow();
    },
  });
  cleanup.defer(giveBack.stop);
  const speeds = createMeasuredSpeeds();
  const jobs = createJobs({
    outbox,
    clock,
    isEngineThere: createEngineThere(),
    onReceipt: submitter.wake,
    onEnd: (receipt, { offer }) => speeds.ended(receipt, offer.state === "cold"),
    onColdModel: giveBack.loads,
  });
  const watch = await watchEngines({
    candidates,
    refreshMs: options.refreshIntervalS * 1_000,
    isOffered: (id) => isOffered(id, policy),
    onChange(catalogue) {
      capacity.adopt(catalogue);
      sayModels(catalogue);
      tellOfOffer();
    },
  });
  cleanup.defer(() => watch.stop());
  capacity.adopt(watch.catalogue());
  const sayModels = modelNews(say, watch.catalogue());

  const lending = createLending({
    ...options.lending,
    clock,
    isOursBusy: () => jobs.size > 0 || rounds.isRunning,
    pauses: pauseFile(home.dir),
    onChange(now, before) {
      availability.setUserActive(!now.lends);
      sayDecision(say, now, localTimeZone);
      if (!isSameToOthers(now, before)) tellOfOffer();
      giveBack.decided(now);
    },
  });
  cleanup.defer(lending.stop);
  const rounds = createHardwareRounds({
    clock,
    lending,
    jobs,
    prove: async ({ inMs, ...run }) => {
      const startsAtMs = performance.now() + inMs;
      return (await runProof(home, api, { ...run, startsAtMs })).passed;
    },
    say,
  });
  cleanup.defer(() => rounds.stop());
  await lending.start();
  availability.setUserActive(!lending.decision.lends);

  const tickets = createTicketBook({
    ...membership,
    nodeId,
    serves: (network) => serving.serves(network),
    nowMs: clock.wallMs,
  });
  const server = startNodeServer(listen, {
    jobs,
    gate: {
      nodeId,
      owner: membership.owner,
      tickets,
      sessions: createSessions(nodeKey, nodeId, clock),
      verifyProof: createProofVerifier(),
      spentProofs: createSpentProofs(clock.steadyMs),
      leases: createLeaseBook(clock),
      availability,
      capacity,
      line,
      catalogue: () => watch.catalogue(),
      clock,
    },
    onEngineFailure: () => void watch.refreshNow(),
    onOutboxFailure: () => say("A receipt cannot be written, so no request is taken. Disk full?"),
  });
  cleanup.defer(server.close);
  const url = advertisedUrl({ host: listen.host, port: server.port }, options.advertise);

  const heartbeats: Heartbeats = createHeartbeats({
    urls: [url],
    version: VERSION,
    clock,
    news: coordinatorNews(say),
    state: () => ({
      offers: watch.catalogue().offers,
      isFull: capacity.isFull,
      running: capacity.running,
      waiting: line.size,
      concurrency: capacity.limit,
      held: lending.decision.lends ? undefined : lending.decision.reason,
      lendsUntilMs: lending.decision.lends ? lending.decision.untilMs : undefined,
      gpus: lending.gpus.map(gpuLabel),
      speeds: speeds.of,
    }),
    send: (heartbeat) =>
      withEnrolment(home, api, async (registration) => {
        membership.adopt(registration);
        const e2e_key = await nodeKey.token(clock.wallMs());
        const said = { ...heartbeat, e2e_key, networks: [...serving.networks] };
        const answer = await api.heartbeat(said, registration.enrolment);
        serving.heard(answer);
        rounds.heard(answer);
        return answer;
      }),
  });
  cleanup.defer(heartbeats.stop);
  tellOfOffer = heartbeats.offerChanged;
  const unwatchSleep = options.lending.watchSleep(async (isAsleep) => {
    lending.setAsleep(isAsleep);
    await heartbeats.settled();
  });
  cleanup.defer(unwatchSleep);

  const controlled = { lending, policy, capacity, line, catalogue: () => watch.catalogue() };
  const controls = await listenForControl(options.lending.control, (request) =>
    control(controlled, request),
  );
  cleanup.defer(controls.close);
  sayWhatIsMissing(say, watch.missing(), watch.engines().length);
  await heartbeats.start();
  submitter.wake();
  if (!lending.isOpen || policy.mode !== "always") {
    sayDecision(say, lending.decision, localTimeZone);
    sayWhatToDo(say, lending.decision);
  }
  options.onReady?.({
    url,
    models: watch.catalogue().offers.length,
    engines: watch.engines().map(({ kind }) => kind),
  });
  await aborted(options.signal);
  if (capacity.running > 0) {
    const what = capacity.running === 1 ? "A request runs" : `${capacity.running} requests run`;
    say(`${what} and may end within ${drainMs / 1_000} s; another signal stops at once.`);
  }
  await stopInOrder({ availability, server, heartbeats, jobs, submitter }, drainMs);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
