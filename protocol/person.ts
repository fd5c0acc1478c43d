import { z } from "zod";
import { UserId } from "./names";

/** Of a person; written in whatever case, it names one account. */
export const Email = z
  .string()
  .trim()
  .toLowerCase()
  .max(254)
  .regex(z.regexes.email, "must be an email address");
export type Email = z.infer<typeof Email>;

/** Length is what makes one hard to guess; the bound keeps a hash from costing more than it must. */
export const Password = z.string().min(12, "must have 12 characters or more").max(256);

/** How the session is kept: by a browser, or by a program that sends it as a bearer token. */
const SessionKind = z.enum(["cookie", "bearer"]).default("cookie");

export const PersonRequest = z.object({
  email: Email,
  password: Password,
  session: SessionKind,
  /** The operator's, where not everybody may join. */
  invite: z.string().max(64).optional(),
});
export type PersonRequest = z.infer<typeof PersonRequest>;

/** As above, but a password that is too short to be right is only wrong. */
export const LoginRequest = PersonRequest.omit({ invite: true }).extend({
  password: z.string().max(256),
});

export const Session = z.object({
  user_id: UserId,
  email: Email,
  /** ISO 8601, UTC. */
  expires_at: z.iso.datetime(),
  /** Where a bearer was asked for: sent as `authorization: Bearer …`. */
  token: z.string().optional(),
});
export type Session = z.infer<typeof Session>;

export const Me = z.object({
  user_id: UserId,
  email: Email,
  created_at: z.iso.datetime(),
  session: z.object({ created_at: z.iso.datetime(), expires_at: z.iso.datetime() }),
});
export type Me = z.infer<typeof Me>;
