import { apiOfPath } from "../../metering/api-of-path";

const KEY = Buffer.from('"stream"');
const TRUE = /^\s*:\s*true\b/;

/**
 * Whether a request asks for its answer as a stream of events, in an API whose streams can tell of errors. In the text of
 * a string the quotes around the name would be escaped, so what is found is the name of a field.
 */
export function wantsEvents(target: string, body: Uint8Array): boolean {
  if (apiOfPath(target) === "other") return false;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  for (let at = bytes.indexOf(KEY); at !== -1; at = bytes.indexOf(KEY, at + KEY.length)) {
    const from = at + KEY.length;
    if (TRUE.test(bytes.toString("latin1", from, from + 16))) return true;
  }
  return false;
}
