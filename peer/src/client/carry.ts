import { answerToApp } from "./answer-to-app";
import type { Answered, AppRequest } from "./attempt";
import { type Found, search, type SearchDeps } from "./search";

/**
 * Carries one request to a node and back; before the first byte of an answer it may try another node. `own` is what this
 * machine's engine said, should no node do better. `over` is called once, when nothing holds the request's body any more:
 * not before its answer has ended, since the runtime keeps what it has sent for as long as the answer comes.
 */
export async function carry(
  deps: SearchDeps,
  request: AppRequest,
  own: Answered | undefined,
  over: () => void,
): Promise<Response> {
  let found: Response | Found | undefined;
  try {
    found = await search(deps, request, own);
  } finally {
    if (found === undefined || found instanceof Response) over();
  }
  return found instanceof Response ? found : handOver(found, request, over);
}

/** Gives an answer to the app. */
export function handOver(
  { answered, attempts }: Found,
  request: Pick<AppRequest, "target" | "requestId" | "signal">,
  over: () => void,
): Response {
  const end = (): void => {
    answered.end();
    over();
  };
  return answerToApp({ ...answered, end }, request, attempts);
}
