import { requestHeaders } from "../../http/pass-headers";
import type { OutgoingHeaders } from "../../http/request-head";

/** Say who pays elsewhere; they are for the service that the app was made for. */
const OF_THE_APPS_ACCOUNT = [
  "openai-organization",
  "openai-project",
  "x-goog-api-key",
  "x-goog-user-project",
] as const;

/** What of the app's headers a node gets: nothing that says who the app's user is or where the app runs. */
export function nodeHeaders(headers: Headers, bodyBytes: number): OutgoingHeaders {
  const passed = requestHeaders(headers, undefined, { length: bodyBytes });
  for (const name of OF_THE_APPS_ACCOUNT) delete passed[name];
  return passed;
}
