import type { Address } from "./address";

/** By lower-case name. */
export type OutgoingHeaders = Record<string, string | number>;

const TARGET = /^[\x21-\x7e]+$/;
// oxlint-disable-next-line no-control-regex -- These would end a line, and begin one of somebody else's making.
const LINE_BREAK = /[\0\r\n]/;

/** The head of a POST (RFC 9112, 3), one character a byte. Throws where a part of it would break out of its line. */
export function requestHead(
  { host, target }: Pick<Address, "host" | "target">,
  headers: OutgoingHeaders,
): string {
  let head = `POST ${target} HTTP/1.1\r\nhost: ${host}\r\n`;
  let isBroken = !TARGET.test(target);
  for (const name in headers) {
    const line = `${name}: ${headers[name]}`;
    isBroken ||= LINE_BREAK.test(line);
    head += `${line}\r\n`;
  }
  if (isBroken) throw new Error("A header or a path holds what cannot be sent.");
  return `${head}\r\n`;
}
