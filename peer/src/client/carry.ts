import { answerToApp } from "./answer-to-app";
import type { AppRequest } from "./attempt";
import { type Found, search, type SearchDeps } from "./search";

/**
 * Carries one request to a node and back; before the first byte of an answer it may try another node. `over` is called
 * once, when nothing holds the request's body any more: not before its answer has ended, since the runtime keeps what it
 * has sent for as long as the answer comes.
 */
export async function carry(
  deps: SearchDeps,
  request: AppRequest,
  over: () => void,
): Promise<Response> {
  let found: Response | Found | undefined;
  try {
    found = await search(deps, request);
  } finally {
    if (found === undefined || found instanceof Response) over();
  }
  if (found instanceof Response) return found;
  const { answered, attempts } = found;
  const end = (): void => {
    answered.end();
    over();
  };
  return answerToApp({ ...answered, end }, request, attempts);
}
