import { requestLines } from "../../http/pass-headers";

const NOT_FOR_NODES: ReadonlySet<string> = new Set([
  // Say who pays elsewhere; they are for the service that the app was made for.
  "openai-organization",
  "openai-project",
  "x-goog-api-key",
  "x-goog-user-project",
]);

/** What of the app's headers a node gets: nothing that says who the app's user is or where the app runs. */
export function nodeHeaders(headers: Headers): [name: string, value: string][] {
  return requestLines(headers, NOT_FOR_NODES);
}
