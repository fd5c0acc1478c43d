import { answerToApp } from "./answer/answer-to-app";
import type { Answered, AppRequest } from "./call/attempt";
import { type PatienceDeps, searchWithPatience } from "./patience";
import type { Desk } from "./networks";
import type { Found } from "./search";
import type { Ticks } from "./ticks";

export type CarryDeps = PatienceDeps & { readonly ticks: Ticks };

/**
 * Carries one request to a node and back; before the first byte of an answer it may try another node. `own` is what this
 * machine's engine said, should no node do better. `over` is called once, when nothing holds the request's body any more:
 * not before its answer has ended, since the runtime keeps what it has sent for as long as the answer comes.
 */
export async function carry(
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
