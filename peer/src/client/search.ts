import { QUEUE_WAIT_HEADER } from "#protocol/busy";
import { appError } from "./app/app-error";
import { type Answered, type AppRequest, attempt, type AttemptDeps } from "./call/attempt";
import { CoordinatorUnreachable } from "../coordinator/errors";
import { betterInMs, coordinatorError, isModelUnavailable } from "./app/coordinator-error";
import { holdJson, isHalfJson } from "./answer/hold-json";
import { isAnswer } from "./answer/is-answer";
import type { Lease, Place } from "./leases/lease";
import type { Desk } from "./networks";
import { unknownModel } from "./app/models-api";
import {
  allBusy,
  isOverlayDown,
  noneReachable,
  notOfTheChosen,
  type Surroundings,
} from "./app/no-answer";
import { learn, type Verdict, verdictOn, WORTH } from "./nodes/verdict";
import { within } from "../within";

/** Nodes that one request tries before its app is told, or waits. */
const MOST_ATTEMPTS = 3;
/** Where so many engines failed at a request, it is the request: the others would fail as well. */
const MOST_FAILED_ENGINES = 2;
/** Until the coordinator has heard of a model that its nodes have lost, and can tell of its return. */
const GONE_FOR_MS = 1_000;

export type SearchDeps = AttemptDeps & {
  readonly surroundings: Surroundings;
};

export type Found = { readonly answered: Answered; readonly attempts: number };

export type Searched = {
  /** An answer that has begun, or what the app is told instead. */
  readonly outcome: Response | Found;
  /** A node may be free or there again in so many milliseconds, or the coordinator: another look may do better. */
  readonly freeInMs: number | undefined;
  /** With those before. */
  readonly attempts: number;
  /** All nodes have lost the model, in this look or in one before. */
  readonly wasGone: boolean;
};

export type SearchFrom = {
  /** What this machine's engine said. */
  readonly own?: Answered | undefined;
  /** Those before. */
  readonly attempts: number;
  /** By the steady clock. */
  readonly untilMs: number;
  readonly wasGone?: boolean;
};

/** Looks for a node of a network that answers. */
export async function search(
  deps: SearchDeps,
  { leases, models }: Desk,
  request: AppRequest,
  { own, attempts: before, untilMs, wasGone = false }: SearchFrom,
): Promise<Searched> {
  const { order, surroundings, acks } = deps;
  const nowMs = (): number => acks.steadyMs();
  const { model, conversation, signal } = request;
  const tried: string[] = [];
  const isTried = (nodeId: string): boolean => tried.includes(nodeId);
  let attempts = before;
  let failedEngines = own === undefined ? 0 : 1;
  let hasAskedForOthers = false;
  let hasAskedAnew = false;
  /** The best that a node said so far, should nothing better come. */
  let held: { readonly answered: Answered; readonly verdict: Verdict } | undefined =
    own === undefined ? undefined : { answered: own, verdict: verdictOn(own) };
  let lease: Lease | undefined;
  /** Where it could wait for a place. */
  const lines: Line[] = [];

  try {
    const got = leases.get(model);
    // A timer costs more than the look.
    lease = got instanceof Promise ? await within(untilMs - nowMs(), got) : got;
    // The coordinator was there: what has not come back in time is the model.
    if (lease === undefined && wasGone) return told(await modelGone());
    if (lease === undefined) throw new CoordinatorUnreachable(NO_TICKET);
    while (attempts - before < MOST_ATTEMPTS && nowMs() < untilMs && !signal.aborted) {
      const places = leases.places(lease);
      let place: Place | undefined = order.next(places, isTried, conversation);
      if (place === undefined) {
        if (!hasAskedForOthers && failedEngines < MOST_FAILED_ENGINES) {
          hasAskedForOthers = true;
          const known = places.map(idOf).filter((id) => !isTried(id));
          const asked = leases.others(lease, [...tried, ...known]);
          const other = await within(untilMs - nowMs(), asked);
          if (other !== undefined) {
            lease = other;
            continue;
          }
        }
        place = order.lastResort(places, isTried);
        if (place === undefined) break;
      }
      const { node } = place;
      tried.push(node.node_id);
      attempts += 1;
      const answered = onlyAnswer(await attempt(deps, request, place));
      if (signal.aborted) {
        drop(answered);
        break;
      }
      const verdict = answered === undefined ? "failed" : verdictOn(answered);
      const isFirstRefusal = verdict === "lease" && !hasAskedAnew;
      if (!isFirstRefusal) learn(order, node.node_id, verdict, answered);
      if (verdict === "gone") place.lease.drop(node.node_id);
      if (answered === undefined) continue;
      const lineMs = Number(answered.answer.header(QUEUE_WAIT_HEADER) ?? Infinity);
      if (verdict === "busy") lines.push({ place, waitMs: lineMs });
      if (verdict === "engine") failedEngines += 1;
      if (held !== undefined && WORTH[held.verdict] > WORTH[verdict]) {
        drop(answered);
      } else {
        drop(held?.answered);
        held = { answered, verdict };
      }
      if (verdict === "final") break;
      if (isFirstRefusal) {
        // The same nodes may take another ticket.
        hasAskedAnew = true;
        const { ticket } = answered;
        const next = await within(untilMs - nowMs(), leases.anew(place.lease, ticket));
        if (next === undefined) break;
        if (next.ticket() === ticket) learn(order, node.node_id, verdict, answered);
        else tried.length = 0;
        lease = next;
      }
    }
    if (held?.verdict === "busy" && !signal.aborted) {
      const leftMs = Math.floor(untilMs - nowMs());
      const waited = await waitInLine(deps, request, shortest(lines), leftMs);
      if (waited !== undefined) {
        attempts += 1;
        drop(held.answered);
        held = { answered: waited, verdict: verdictOn(waited) };
      }
    }
    const places = leases.places(lease);
    const failing: string[] = [];
    for (const { node } of places) if (order.isFailing(node.node_id)) failing.push(node.node_id);
    if (places.length === 0) leases.avoid(lease, tried);
    else if (failing.length * 2 >= places.length) leases.avoid(lease, failing);
  } catch (error) {
    // What a node said is of more use to the app than the coordinator's trouble, unless it was about the lease.
    if (held === undefined || held.verdict === "lease") {
      drop(held?.answered);
      if (isModelUnavailable(error)) return told(await modelGone());
      return told(coordinatorError(error), betterInMs(error, lease !== undefined));
    }
  }
  if (signal.aborted) {
    drop(held?.answered);
    return told(new Response(null, { status: 499 })); // Nobody reads it.
  }
  if (held === undefined) {
    const places = lease === undefined ? [] : leases.places(lease);
    const isDown = isOverlayDown(places, surroundings.overlayAddress);
    const backInMs = isDown ? undefined : order.backInMs(places.map(idOf));
    // What is started again may have another address; the next look finds it.
    if (!isDown && lease !== undefined) leases.findAgain(lease);
    return told(noneReachable(model, places, surroundings), backInMs);
  }
  const { answered, verdict } = held;
  // A busy one may do what another's engine did not.
  const isForLater =
    verdict === "busy" ||
    (verdict === "engine" && lines.length > 0 && failedEngines < MOST_FAILED_ENGINES);
  const waitMs = isForLater ? order.freeInMs(lines.map(({ place }) => idOf(place))) : undefined;
  const freeInMs = isNotThereYet(answered.refusal) ? order.backInMs(tried) : waitMs;
  // One that is alone says best itself why it is busy.
  if (freeInMs !== undefined && verdict === "busy" && tried.length > 1) {
    drop(answered);
    return told(allBusy(model, tried.length, freeInMs), freeInMs);
  }
  const isNotForTheApp = verdict === "gone" || answered.answer.status === 401;
  if (!isNotForTheApp) {
    if (!isHalfJson(answered.answer)) return found(answered, freeInMs);
    const answer = await holdJson(answered.answer, answered.heard);
    // What the node took for the rest is not this client's time.
    const firstAtMs = nowMs();
    if (answer !== undefined) return found({ ...answered, answer, firstAtMs }, freeInMs);
    if (!signal.aborted) answered.broke();
    drop(answered);
    return told(appError(502, "stream_broken", HALF));
  }
  drop(answered);
  if (verdict === "gone") {
    // An engine that is being started again has no models for some seconds. Who says so twice is believed: each look
    // takes a lease.
    const backInMs = wasGone ? undefined : GONE_FOR_MS;
    return { ...told(await unknownModel(models, model), backInMs), wasGone: true };
  }
  // Whichever it was, the app's key was not the reason: it never got there.
  return told(
    answered.refusal === undefined
      ? appError(502, "engine_error", LOCKED_ENGINE)
      : appError(502, "coordinator_refused", UNTRUSTED),
  );

  async function modelGone(): Promise<Response> {
    return surroundings.hasChosenNodes ? notOfTheChosen(model) : unknownModel(models, model);
  }
  function told(outcome: Response, freeInMs?: number): Searched {
    return { outcome, freeInMs, attempts, wasGone };
  }
  function found(one: Answered, busyForMs: number | undefined): Searched {
    return { outcome: { answered: one, attempts }, freeInMs: busyForMs, attempts, wasGone };
  }
}

/** What a node says that is just being started, or whose engine is. No engine has had the request: another may break at it, too. */
function isNotThereYet(refusal: string | undefined): boolean {
  return refusal === "engine_unreachable" || refusal === "coordinator_unreachable";
}

type Line = { readonly place: Place; readonly waitMs: number };

function shortest(lines: readonly Line[]): Line | undefined {
  return lines.toSorted((a, b) => a.waitMs - b.waitMs)[0];
}

/** Where no node has a place, the app waits at the one that will have one first, if that may be in time. */
async function waitInLine(
  deps: SearchDeps,
  request: AppRequest,
  line: Line | undefined,
  leftMs: number,
): Promise<Answered | undefined> {
  if (line === undefined || line.waitMs > leftMs) return undefined;
  const { place } = line;
  const answered = onlyAnswer(await attempt(deps, request, place, leftMs));
  const verdict = answered === undefined ? "failed" : verdictOn(answered);
  learn(deps.order, place.node.node_id, verdict, answered);
  return answered;
}

const NO_TICKET = "The coordinator gave no ticket in time.";
const UNTRUSTED =
  "No node took this client's ticket. Check that this machine's clock is right, then try again.";
const HALF = "The node went away in the middle of its answer; send the request again.";
const LOCKED_ENGINE = "The engine refused the key of the node that it runs on. Try again later.";

/** What is no answer that an app could get counts as none. */
function onlyAnswer(answered: Answered | undefined): Answered | undefined {
  if (answered === undefined || isAnswer(answered.answer)) return answered;
  drop(answered);
  return undefined;
}

/** Nobody will read it. */
export function drop(answered: Answered | undefined): void {
  answered?.cut();
  answered?.end();
}

function idOf({ node }: Place): string {
  return node.node_id;
}
