import type { CryptoKey } from "jose";
import { z } from "zod";
import { PeerId } from "./identity";
import { CLOCK_SKEW_S, type JwsRefusal, signJws, verifyJws } from "./jws";
import { Rate } from "./microcredits";
import { NetworkId, UserId } from "./names";
import type { Outcome } from "./outcome";

/** The header in which a node shows the coordinator its enrolment, so that a heartbeat reads no database. */
export const ENROLMENT_HEADER = "troop-enrolment";
const ENROLMENT_TYP = "troop-enrolment+jwt";
export const ENROLMENT_LIFETIME_S = 24 * 60 * 60;
/** So long after it was signed an enrolment may still be taken: clocks differ. */
export const ENROLMENT_COUNTS_S = ENROLMENT_LIFETIME_S + 2 * CLOCK_SKEW_S;

/** Networks in which one node may serve. */
export const MOST_LENT_IN = 64;

/** What the coordinator certifies of a peer when it registers; the peer renews it by registering again. */
export const EnrolmentClaims = z.object({
  iss: z.string(),
  sub: PeerId,
  usr: UserId,
  nets: z.array(NetworkId).min(1).max(MOST_LENT_IN),
  /** Microcredits a second that this peer earns as a node whose hardware is not proven. */
  rate: Rate,
  iat: z.int(),
  exp: z.int(),
});
export type EnrolmentClaims = z.infer<typeof EnrolmentClaims>;

export function signEnrolment(
  claims: EnrolmentClaims,
  key: CryptoKey,
  kid: string,
): Promise<string> {
  return signJws(ENROLMENT_TYP, claims, key, { kid });
}

export function verifyEnrolment(
  enrolment: string,
  key: CryptoKey,
  expected: { readonly issuer: string; readonly nowMs: number },
): Promise<Outcome<EnrolmentClaims, JwsRefusal>> {
  return verifyJws(enrolment, key, EnrolmentClaims, { typ: ENROLMENT_TYP, ...expected });
}
