import { z } from "zod";

/**
 * Every code the coordinator answers with, its status and title. Codes are API: they never change meaning.
 * Source of the shape: RFC 9457.
 */
export const PROBLEMS = {
  request_invalid: [400, "The request does not have the shape this endpoint takes."],
  proof_missing: [401, "The request carries no proof of who sent it."],
  proof_invalid: [401, "The proof does not fit this request."],
  proof_replayed: [401, "The proof was used before."],
  clock_skew: [401, "The peer's clock is off."],
  enrolment_invalid: [401, "The enrolment is missing, expired or not this coordinator's."],
  credentials_invalid: [401, "The name or the password is not an operator's."],
  session_missing: [401, "Nobody is logged in."],
  login_failed: [401, "The email or the password is wrong."],
  credits_exhausted: [402, "There are no credits left to spend."],
  not_registered: [403, "The peer is not registered here."],
  origin_not_allowed: [403, "A page of another site may not ask for this."],
  forbidden: [403, "The peer may not do this."],
  not_found: [404, "There is nothing here."],
  peer_revoked: [403, "The peer was signed out of its account."],
  registration_closed: [403, "This coordinator takes nobody new."],
  signup_invite_invalid: [403, "Joining takes an invite, and this is none that is good."],
  authorization_pending: [400, "The person has not decided yet."],
  slow_down: [400, "The peer asks too often."],
  access_denied: [400, "The person said no."],
  expired_token: [400, "The code is used up or too old."],
  model_unavailable: [404, "No live node offers this model."],
  invite_invalid: [404, "The invite is unknown, used up or expired."],
  lease_not_found: [404, "There is no such open lease of this peer."],
  method_not_allowed: [405, "The path does not take this method."],
  name_taken: [409, "One of the caller's networks has that name."],
  limit_reached: [409, "There can't be more of these."],
  last_owner: [409, "A network with members needs an owner."],
  address_not_allowed: [400, "An address lies outside the ranges this coordinator allows."],
  email_taken: [409, "There is an account with this email already."],
  hardware_run_unknown: [409, "There is no such run of this node, or that step of it is done."],
  hardware_refused: [422, "The proof of hardware does not hold."],
  hardware_cooldown: [429, "A proof of this node's hardware failed a short while ago."],
  body_too_large: [413, "The body is larger than this endpoint takes."],
  media_type_unsupported: [415, "The endpoint takes another content type."],
  protocol_unsupported: [426, "This coordinator does not speak the peer's protocol version."],
  rate_limited: [429, "Too many requests."],
  internal: [500, "Something failed here."],
  store_unavailable: [503, "A store does not answer."],
  timeout: [504, "The answer took too long."],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof PROBLEMS;
export const PROBLEM_CODES = Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]];

/** RFC 9457 body; `code` is what programs read, `detail` says what to do next. */
export const Problem = z.object({
  type: z.literal("about:blank"),
  title: z.string(),
  status: z.int(),
  code: z.enum(PROBLEM_CODES),
  detail: z.string().optional(),
  requestId: z.string(),
  /** Names of the fields that were refused, never their values. */
  fields: z.array(z.string()).optional(),
  /** With `credits_exhausted`: what is left, in microcredits. */
  balance_microcredits: z.int().optional(),
  /** With `credits_exhausted`: what open leases hold, in microcredits. */
  held_microcredits: z.int().optional(),
  /** With `model_unavailable`: some of the models that are there. */
  models: z.array(z.string()).optional(),
});
export type Problem = z.infer<typeof Problem>;

/** The members that follow from the code alone. */
export function problemOf(code: ProblemCode, requestId: string): Problem {
  const [status, title] = PROBLEMS[code];
  return { type: "about:blank", title, status, code, requestId };
}
