import { apiOfPath } from "../../metering/api-of-path";

const KEY = Buffer.from('"stream"');
const TRUE = /^\s*:\s*true\b/;

/**
 * Whether a request asks for its answer as a stream of events, in an API whose streams can tell of errors. In the text of
 * a string the quotes around the name would be escaped, so what is found is the name of a field.
 */
export function wantsEvents(target: string, body: Buffer): boolean {
  if (apiOfPath(target) === "other") return false;
  for (let at = body.indexOf(KEY); at !== -1; at = body.indexOf(KEY, at + KEY.length)) {
    const from = at + KEY.length;
    if (TRUE.test(body.toString("latin1", from, from + 16))) return true;
  }
  return false;
}
