import { CoordinatorProblem, CoordinatorUnreachable } from "../../coordinator/errors";
import type { Catalogue } from "../../engines/catalogue";
import type { MissingEngine } from "../../engines/detect";
import type { Decision } from "../../lending/decide";
import { printable } from "../../coordinator/printable";
import type { CoordinatorNews } from "./heartbeats";

type Say = (line: string) => void;

/** Says when the coordinator is lost and when it is back, once each. */
export function coordinatorNews(say: Say): CoordinatorNews {
  let told = "";
  let suspension: string | undefined;
  return {
    lost(error) {
      const why = reasonOf(error);
      if (why === told) return;
      told = why;
      say(`${why} Requests that hold a ticket are served; trying again.`);
    },
    back() {
      told = "";
      say("The coordinator answers again.");
    },
    suspended(reason) {
      if (reason === suspension) return;
      suspension = reason;
      if (reason === undefined) say("This node is offered to clients again.");
      else say(`This node is suspended: ${printable(reason)} It is offered to nobody.`);
    },
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof CoordinatorUnreachable) return error.message;
  if (error instanceof CoordinatorProblem) {
    return `The coordinator refused this node (${error.problem.code}). ${error.message}`;
  }
  return "Telling the coordinator of this node failed.";
}

/** Says which models came and went. */
export function modelNews(say: Say, first: Catalogue): (catalogue: Catalogue) => void {
  let known = namesOf(first);
  return (catalogue) => {
    const names = namesOf(catalogue);
    const come = [...names].filter((name) => !known.has(name));
    const gone = [...known].filter((name) => !names.has(name));
    known = names;
    if (come.length > 0) say(`Now offered: ${listed(come)}`);
    if (gone.length > 0) say(`No longer offered: ${listed(gone)}`);
  };
}

/** Says where no engine was found, and that the search goes on. */
export function sayWhatIsMissing(say: Say, missing: readonly MissingEngine[], found: number): void {
  for (const { candidate, message } of missing) {
    // Of the usual places most are empty: they matter only where all are.
    if (candidate.source.from !== "default" || found === 0) say(`No engine: ${message}.`);
  }
  if (found === 0)
    say("Nothing to lend yet. Start an engine, or name one with --engine URL; looking on.");
}

/** Says that this machine lends no more or again, and why. */
export function sayDecision(say: Say, decision: Decision, timeZone: string): void {
  const { why } = decision;
  if (decision.lends) say(`Lending: ${why}${untilText(decision.untilMs, timeZone)}.`);
  else say(`Paused: ${why}${untilText(decision.againAtMs, timeZone)}.`);
}

/** What a person who has just started the worker may want to do about it. */
export function sayWhatToDo(say: Say, decision: Decision): void {
  if (decision.lends) say("To stop for a while: troop pause.");
  else if (decision.reason === "paused") say("To lend: troop resume.");
  else say("To lend all the same: troop worker --policy always.");
}

function untilText(atMs: number | undefined, timeZone: string): string {
  if (atMs === undefined) return "";
  const time = new Intl.DateTimeFormat("en-GB", { timeZone, timeStyle: "short" }).format(atMs);
  return `; until ${time} if nothing happens`;
}

const MOST_NAMED = 5;

function namesOf({ offers }: Catalogue): ReadonlySet<string> {
  return new Set(offers.map(({ id }) => id));
}

function listed(names: readonly string[]): string {
  const rest = names.length - MOST_NAMED;
  const shown = names.slice(0, MOST_NAMED).join(", ");
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}
