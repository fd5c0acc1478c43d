import { z } from "zod";

export const UserId = z.string().regex(/^usr_[0-9a-z]{26}$/, "must be a user id (usr_…)");
export type UserId = z.infer<typeof UserId>;

/** `public`, or a private network's id. */
export const NetworkId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must be a network id");
export type NetworkId = z.infer<typeof NetworkId>;

export const PUBLIC_NETWORK: NetworkId = "public";

const CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz";

/** A new user id from 16 random bytes: 26 characters of Crockford's base 32. */
export function userIdFrom(random: Uint8Array): UserId {
  let bits = 0n;
  for (const byte of random.subarray(0, 16)) bits = (bits << 8n) | BigInt(byte);
  let id = "";
  for (let place = 0; place < 26; place++) {
    id = CROCKFORD[Number(bits & 31n)] + id;
    bits >>= 5n;
  }
  return `usr_${id}`;
}
