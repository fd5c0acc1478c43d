import { scrypt, timingSafeEqual } from "node:crypto";
import { base64url } from "jose";

type Cost = { readonly ln: number; readonly r: number; readonly p: number };

/**
 * What a hash costs now: 16 MiB, because an isolate has 128, five times over. OWASP's password storage cheat sheet
 * names it as one of five of the same strength. Older hashes keep the cost that they were made with.
 */
const COST: Cost = { ln: 14, r: 8, p: 5 };
const BYTES = 32;
const FORM = /^scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w-]{22})\$([\w-]{43})$/;

/** A hash that no password has: who is unknown costs as much as who is known. */
export const NOBODYS_HASH = written(COST, new Uint8Array(16), new Uint8Array(BYTES));

/** A salted hash that tells its own parameters, as it is stored. */
export async function hashPassword(password: string): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  return written(COST, salt, await derive(password, salt, COST));
}

export async function isPassword(password: string, hash: string): Promise<boolean> {
  const [, ln, r, p, salt, key] = FORM.exec(hash) ?? [];
  if (salt === undefined || key === undefined) throw new Error("A stored password has no form.");
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  const derived = await derive(password, base64url.decode(salt), cost);
  return timingSafeEqual(derived, base64url.decode(key));
}

/** Whether a hash was made at another cost than one would be now. */
export function isOutdated(hash: string): boolean {
  return !hash.startsWith(`${costText(COST)}$`);
}

function costText({ ln, r, p }: Cost): string {
  return `scrypt$ln=${ln},r=${r},p=${p}`;
}

function written(cost: Cost, salt: Uint8Array, key: Uint8Array): string {
  return `${costText(cost)}$${base64url.encode(salt)}$${base64url.encode(key)}`;
}

/** Written in composed or decomposed letters, a password is the same. */
function derive(password: string, salt: Uint8Array, { ln, r, p }: Cost): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFKC"), salt, BYTES, { N: 2 ** ln, r, p }, (error, key) =>
      error instanceof Error ? reject(error) : resolve(key),
    );
  });
}
