import { type JwsRefusal, readHeader } from "#protocol/jws";
import type { Outcome } from "#protocol/outcome";
import { type TicketClaims, verifyOwnTicket } from "#protocol/ticket";
import { z } from "zod";
import type { Deps } from "./deps";

const KeyId = z.object({ kid: z.string() });

/** The claims of a ticket that this coordinator signed, however long ago. */
export async function checkTicket(
  { config, keys }: Deps,
  ticket: string,
): Promise<Outcome<TicketClaims, JwsRefusal>> {
  const key = await keys.byKid(readHeader(ticket, KeyId)?.kid ?? "");
  if (key === undefined) return { ok: false, reason: "malformed" };
  return verifyOwnTicket(ticket, key, config.publicUrl);
}
