import { requestHeaders } from "../../http/pass-headers";

const NOT_FOR_NODES: ReadonlySet<string> = new Set([
  // Say who pays elsewhere; they are for the service that the app was made for.
  "openai-organization",
  "openai-project",
  "x-goog-api-key",
  "x-goog-user-project",
  // Told beside them.
  "content-length",
]);

/** What of the app's headers a node gets: nothing that says who the app's user is or where the app runs. */
export function nodeHeaders(headers: Headers): [name: string, value: string][] {
  const passed = requestHeaders(headers, undefined, { length: 0 });
  const lines: [string, string][] = [];
  for (const name in passed) {
    if (!NOT_FOR_NODES.has(name)) lines.push([name, String(passed[name])]);
  }
  return lines;
}
