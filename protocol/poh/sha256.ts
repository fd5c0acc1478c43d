import { createHash } from "node:crypto";

/** SHA-256 over the parts, one behind the other. At once: WebCrypto would take another thread for each of thousands. */
export function hashOf(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}
