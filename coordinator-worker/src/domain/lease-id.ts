import { sha256Base64url } from "#protocol/encoding";
import { base64url } from "jose";

/**
 * The id of the lease that a proof asks for: a UUID made from the proof's own id, so that the same proof sent
 * twice asks for the same lease and cannot hold credits twice.
 */
export async function leaseIdOf(peerId: string, jti: string): Promise<string> {
  const digest = base64url.decode(await sha256Base64url(`lease ${peerId} ${jti}`));
  const hex = [...digest.subarray(0, 16)]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
  const variant = ((Number.parseInt(hex[16] ?? "0", 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
