import { type EnrolmentClaims, verifyEnrolment } from "#protocol/enrolment";
import { readHeader } from "#protocol/jws";
import { z } from "zod";
import type { Deps } from "./deps";

const KeyId = z.object({ kid: z.string() });

/** What this coordinator once certified of a peer, or undefined where it did not or it has expired. */
export async function checkEnrolment(
  { config, keys, nowMs }: Deps,
  enrolment: string | undefined,
): Promise<EnrolmentClaims | undefined> {
  if (enrolment === undefined) return undefined;
  const key = await keys.byKid(readHeader(enrolment, KeyId)?.kid ?? "");
  if (key === undefined) return undefined;
  const verified = await verifyEnrolment(enrolment, key, {
    issuer: config.publicUrl,
    nowMs: nowMs(),
  });
  return verified.ok ? verified.value : undefined;
}
