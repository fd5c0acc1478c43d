import type { CryptoKey } from "jose";
import type { NeonHttpDatabase } from "drizzle-orm/neon-http";
import type { SigningKey } from "./config";
import { logError } from "./log";
import { type Keys, keysAt, type OpenKey, openKey } from "./keys";
import { openSealedKey } from "./seal-key";
import { readKeys } from "./store/signing-keys";

/** The keys of the settings and those that came by rotation since, which lie sealed in the database. */
export type KeyRing = {
  /** To sign with; read anew now and then. */
  readonly current: () => Promise<Keys>;
  /** To show: never without a key that may sign by now. */
  readonly latest: () => Promise<Keys>;
  /** Here at once; other isolates find out by themselves. */
  readonly reread: () => Promise<void>;
  /** The verifying key that a JWS header's `kid` names; for one that is not known the database is looked at again. */
  readonly byKid: (kid: string) => Promise<CryptoKey | undefined>;
};

/** A key is shown for longer than this before it signs, so that it is known to whoever meets it. */
const CURRENT_MS = 30_000;
/** Whoever makes up key ids, or asks for the keys all the time, makes an isolate read no more often. */
const LATEST_MS = 1_000;

export async function openKeyRing(
  settings: readonly SigningKey[],
  db: NeonHttpDatabase,
  nowMs: () => number,
): Promise<KeyRing> {
  const first = await Promise.all(settings.map((key) => openKey(key, -Infinity)));
  const opened = new Map<string, OpenKey>();
  let readAtMs = -Infinity;

  async function open(row: Awaited<ReturnType<typeof readKeys>>[number]): Promise<void> {
    if (opened.has(row.kid)) return;
    for (const under of settings) {
      const key = await openSealedKey(row, under);
      if (key === undefined) continue;
      opened.set(row.kid, await openKey(key, row.signsFromMs));
      return;
    }
    logError("signing_key_unreadable", { kid: row.kid });
  }

  async function readUnlessNewer(thanMs: number): Promise<void> {
    const startedMs = nowMs();
    if (startedMs - readAtMs < thanMs) return;
    // Each request reads for itself: one that waits for another's would hang with it.
    await Promise.all((await readKeys(db)).map(open));
    readAtMs = startedMs;
  }

  const now = (): Keys => keysAt([...first, ...opened.values()], nowMs());
  const known = (kid: string): CryptoKey | undefined =>
    (first.find((key) => key.kid === kid) ?? opened.get(kid))?.publicKey;

  return {
    async current() {
      await readUnlessNewer(CURRENT_MS);
      return now();
    },
    async latest() {
      await readUnlessNewer(LATEST_MS);
      return now();
    },
    reread: () => readUnlessNewer(0),
    async byKid(kid) {
      const key = known(kid);
      if (key !== undefined) return key;
      await readUnlessNewer(LATEST_MS);
      return known(kid);
    },
  };
}
