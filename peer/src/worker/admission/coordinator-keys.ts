import { type CryptoKey, importJWK } from "jose";
import type { CoordinatorKey, Jwks } from "#protocol/register";

/** The coordinator's public keys, asked for again only when a ticket names one that is not known. */
export type CoordinatorKeys = {
  keyOf(kid: string): Promise<CryptoKey | undefined>;
  /** Takes these for all the keys there are. */
  adopt(jwks: Jwks): void;
};

export type CoordinatorKeysOptions = {
  /** May throw: then the keys at hand stay. */
  readonly fetchJwks: () => Promise<Jwks>;
  readonly nowMs: () => number;
};

/** Whoever makes up key ids must not make this node ask more often. */
const REFRESH_AT_MOST_EVERY_MS = 60_000;

export function createCoordinatorKeys({
  fetchJwks,
  nowMs,
}: CoordinatorKeysOptions): CoordinatorKeys {
  let keys = new Map<string, CoordinatorKey>();
  const imported = new Map<string, Promise<CryptoKey>>();
  let refreshing: Promise<void> | undefined;
  let refreshedAtMs = -Infinity;

  function adopt(jwks: Jwks): void {
    keys = new Map(jwks.keys.map((key) => [key.kid, key]));
  }

  function known(kid: string): Promise<CryptoKey> | undefined {
    const key = keys.get(kid);
    if (key === undefined) return undefined;
    const ready = imported.get(key.x) ?? importJWK({ ...key }, "EdDSA");
    imported.set(key.x, ready);
    return ready;
  }

  async function refresh(): Promise<void> {
    refreshedAtMs = nowMs();
    try {
      adopt(await fetchJwks());
    } catch {
      // The coordinator is away: its tickets of before still verify, and the heartbeat tells people.
    } finally {
      refreshing = undefined;
    }
  }

  async function keyOf(kid: string): Promise<CryptoKey | undefined> {
    const key = known(kid);
    if (key !== undefined) return key;
    if (refreshing === undefined && nowMs() - refreshedAtMs >= REFRESH_AT_MOST_EVERY_MS) {
      refreshing = refresh();
    }
    await refreshing;
    return known(kid);
  }

  return { keyOf, adopt };
}
