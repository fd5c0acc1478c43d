import { signTicket, TICKET_LIFETIME_S } from "#protocol/ticket";
import type { Deps } from "./deps";

export type Grant = {
  readonly userId: string;
  /** The client. */
  readonly peerId: string;
  readonly leaseId: string;
  readonly network: string;
  readonly model: string;
  /** Microcredits a second, by node id. */
  readonly rates: Record<string, number>;
  /** Microcredits. */
  readonly budget: number;
  readonly startsAtS: number;
};

export async function issueTicket({ config, keys }: Deps, grant: Grant): Promise<string> {
  const claims = {
    iss: config.publicUrl,
    sub: grant.userId,
    cnf: { jkt: grant.peerId },
    aud: Object.keys(grant.rates),
    jti: grant.leaseId,
    iat: grant.startsAtS,
    nbf: grant.startsAtS,
    exp: grant.startsAtS + TICKET_LIFETIME_S,
    net: grant.network,
    model: grant.model,
    rates: grant.rates,
    budget: grant.budget,
  };
  const { kid, signingKey } = await keys.current();
  return signTicket(claims, signingKey, kid);
}
