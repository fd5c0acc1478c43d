import { signE2eKey } from "#protocol/e2e-key";
import { createSessionAcceptor, type SessionKeys, type SessionScope } from "#protocol/e2e-session";
import type { Home } from "../../home/home";
import { loadE2eKey } from "../../home/e2e-key-file";

/** What clients seal for. */
export type NodeKey = {
  /** The public key, certified by this node, with most of its life in front of it. */
  token(nowMs: number): Promise<string>;
  /** Keys of a session that a client began; `undefined` where `enc` is none. */
  accept(enc: string, scope: SessionScope): Promise<SessionKeys | undefined>;
};

/** Well before it ends, and seldom: clients check each one that they have not seen. */
const RENEW_EVERY_MS = 24 * 60 * 60 * 1_000;

/** Throws `CliError` where the key on disk is damaged. */
export async function openNodeKey(
  { dir, identity }: Home,
  warn: (line: string) => void,
): Promise<NodeKey> {
  const privateKey = await loadE2eKey(dir, warn);
  const accept = await createSessionAcceptor(privateKey);
  let signed: { readonly token: string; readonly atMs: number } | undefined;

  return {
    accept,
    async token(nowMs) {
      // Also where the clock was set back: until then the key would be from the future.
      if (signed === undefined || Math.abs(nowMs - signed.atMs) >= RENEW_EVERY_MS) {
        signed = { token: await signE2eKey(identity, privateKey.x, nowMs), atMs: nowMs };
      }
      return signed.token;
    },
  };
}
