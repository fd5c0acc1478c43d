import type { OutgoingHttpHeaders } from "node:http";
import { engineHeaders } from "../worker/forward-headers";

/** What of the app's headers a node gets: nothing that says who the app's user is or where the app runs. */
export function nodeHeaders(headers: Headers, bodyBytes: number): OutgoingHttpHeaders {
  return engineHeaders(headers, undefined, { length: bodyBytes });
}
