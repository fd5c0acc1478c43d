import { z } from "zod";
import { PeerId } from "./identity";
import { UserId } from "./names";
import { Email } from "./person";
import { PLAIN_TEXT, PLAIN_TEXT_RULE } from "./plain-text";

/** Linking a peer to a person without typing a secret into a terminal. Source of the flow: RFC 8628. */

/** No vowels, so that no words come out, and nothing that looks like something else. */
export const USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ";

/** As a person types it: in whatever case, with whatever between the letters. */
export const UserCode = z
  .string()
  .max(32)
  .toUpperCase()
  .overwrite((text) => text.replace(/[^A-Z]/g, ""))
  .regex(new RegExp(`^[${USER_CODE_LETTERS}]{8}$`), "must be a code of eight letters");

export const DeviceRequest = z.object({
  /** What the person will know the machine by. */
  name: z.string().min(1).max(64).regex(PLAIN_TEXT, PLAIN_TEXT_RULE).optional(),
});
export type DeviceRequest = z.infer<typeof DeviceRequest>;

export const DeviceCode = z.object({
  device_code: z.string().min(1).max(128),
  /** With a dash in the middle. */
  user_code: z.string().max(16),
  verification_uri: z.url({ protocol: /^https?$/ }),
  /** With the code behind `#`, so that it reaches no server's log. */
  verification_uri_complete: z.url({ protocol: /^https?$/ }),
  /** Seconds. */
  expires_in: z.int().positive(),
  /** Seconds between two questions. */
  interval: z.int().positive(),
});
export type DeviceCode = z.infer<typeof DeviceCode>;

export const DeviceTokenRequest = z.object({ device_code: z.string().min(1).max(128) });
export type DeviceTokenRequest = z.infer<typeof DeviceTokenRequest>;

/** No token: the peer's key is its credential, and belongs to the person from now on. */
export const DeviceLink = z.object({ user_id: UserId, email: Email });
export type DeviceLink = z.infer<typeof DeviceLink>;

export const UserCodeRequest = z.object({ user_code: UserCode });

/** What a person sees of the peer that asks, before saying yes. */
export const PendingDevice = z.object({
  peer_id: PeerId,
  name: z.string().optional(),
  /** ISO 8601, UTC. */
  requested_at: z.iso.datetime(),
});
export type PendingDevice = z.infer<typeof PendingDevice>;

export const DeviceDecision = UserCodeRequest.extend({ approve: z.boolean() });

export const OwnPeers = z.object({
  peers: z.array(
    z.object({
      peer_id: PeerId,
      name: z.string().optional(),
      created_at: z.iso.datetime(),
      /** When it registered or took a ticket, to the hour. */
      last_used_at: z.iso.datetime(),
      /** It lends now. */
      live: z.boolean(),
    }),
  ),
});
export type OwnPeers = z.infer<typeof OwnPeers>;
