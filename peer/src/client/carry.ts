import { answerToApp } from "./answer/answer-to-app";
import type { Answered, AppRequest } from "./call/attempt";
import { lateAnswer } from "./answer/late-answer";
import { LOOK_FOR_MS, type PatienceDeps, searchWithPatience } from "./patience";
import type { Desk } from "./networks";
import type { Found } from "./search";
import type { Ticks } from "./ticks";

/** After so long no other node is tried. */
const LATE_TICKS = LOOK_FOR_MS / 1_000;

export type CarryDeps = PatienceDeps & { readonly ticks: Ticks };

/**
 * Carries one request to a node and back; before the first byte of an answer it may try another node. `own` is what this
 * machine's engine said, should no node do better. `over` is called once, when nothing holds the request's body any more:
 * not before its answer has ended, since the runtime keeps what it has sent for as long as the answer comes.
 */
export function carry(
  deps: CarryDeps,
  desk: Desk,
  request: AppRequest,
  own: Answered | undefined,
  over: () => void,
): Promise<Response> {
  const answering = answer(deps, desk, request, own, over);
  if (request.wantsEvents !== true) return answering;
  return new Promise((resolve, reject) => {
    const wait = deps.ticks.begin(LATE_TICKS, LATE_TICKS, () => {
      wait.end();
      resolve(lateAnswer(answering, request, deps.ticks));
    });
    answering.then(resolve, reject).finally(wait.end);
  });
}

async function answer(
  deps: CarryDeps,
  desk: Desk,
  request: AppRequest,
  own: Answered | undefined,
  over: () => void,
): Promise<Response> {
  let found: Response | Found | undefined;
  try {
    found = await searchWithPatience(deps, desk, request, own);
  } finally {
    if (found === undefined || found instanceof Response) over();
  }
  if (!(found instanceof Response)) return answerToApp(deps, found, request, over);
  found.headers.set("x-troop-request-id", request.requestId);
  return found;
}
