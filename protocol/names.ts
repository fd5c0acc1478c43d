import { z } from "zod";

export const UserId = z.string().regex(/^usr_[0-9a-z]{26}$/, "must be a user id (usr_…)");
export type UserId = z.infer<typeof UserId>;

/** `public`, or a private network's id. */
export const NetworkId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must be a network id");
export type NetworkId = z.infer<typeof NetworkId>;

export const PUBLIC_NETWORK: NetworkId = "public";

const NETWORK_ID_PREFIX = "net-";

/** What members call a private network; never what could be taken for an id, or for the public one. */
export const NetworkName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "must be 1 to 32 of a-z, 0-9 and -, and not begin with -")
  .refine(
    (name) => name !== PUBLIC_NETWORK && !name.startsWith(NETWORK_ID_PREFIX),
    `must not be ${PUBLIC_NETWORK}, nor begin with ${NETWORK_ID_PREFIX}`,
  );
export type NetworkName = z.infer<typeof NetworkName>;

const CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz";

/** A new user id from 16 random bytes. */
export function userIdFrom(random: Uint8Array): UserId {
  return `usr_${crockford(random)}`;
}

/** A new private network's id from 16 random bytes. */
export function networkIdFrom(random: Uint8Array): NetworkId {
  return `${NETWORK_ID_PREFIX}${crockford(random)}`;
}

/** 16 bytes as 26 characters of Crockford's base 32. */
export function crockford(bytes: Uint8Array): string {
  let bits = 0n;
  for (const byte of bytes.subarray(0, 16)) bits = (bits << 8n) | BigInt(byte);
  let text = "";
  for (let place = 0; place < 26; place++) {
    text = CROCKFORD[Number(bits & 31n)] + text;
    bits >>= 5n;
  }
  return text;
}
