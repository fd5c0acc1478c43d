import { base64url } from "jose";
import { SigningKey } from "./config";

const utf8 = new TextEncoder();
const INFO = utf8.encode("troop signing-keys v1");
const IV_BYTES = 12;

/**
 * A signing key as it lies in the database: encrypted under a key of the settings (HKDF-SHA256, AES-256-GCM), and bound
 * to its id and its time, so that whoever can write there can neither read a key nor bring one in.
 */
export async function sealKey(
  key: SigningKey,
  signsFromMs: number,
  under: SigningKey,
): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const sealed = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv, additionalData: boundTo(key.kid, signsFromMs) },
    await wrappingKey(under),
    utf8.encode(JSON.stringify(key)),
  );
  const bytes = new Uint8Array(IV_BYTES + sealed.byteLength);
  bytes.set(iv);
  bytes.set(new Uint8Array(sealed), IV_BYTES);
  return base64url.encode(bytes);
}

/** Undefined where it was sealed under another key, or for another id or time. */
export async function openSealedKey(
  { kid, sealed, signsFromMs }: { kid: string; sealed: string; signsFromMs: number },
  under: SigningKey,
): Promise<SigningKey | undefined> {
  try {
    const bytes = new Uint8Array(base64url.decode(sealed));
    const opened = await crypto.subtle.decrypt(
      {
        name: "AES-GCM",
        iv: bytes.subarray(0, IV_BYTES),
        additionalData: boundTo(kid, signsFromMs),
      },
      await wrappingKey(under),
      bytes.subarray(IV_BYTES),
    );
    const key = SigningKey.safeParse(JSON.parse(new TextDecoder().decode(opened))).data;
    return key?.kid === kid ? key : undefined;
  } catch {
    return undefined; // Not sealed under this key: the caller tries the others, and says where none fits.
  }
}

function boundTo(kid: string, signsFromMs: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(utf8.encode(`${kid} ${signsFromMs}`));
}

async function wrappingKey({ d }: SigningKey): Promise<CryptoKey> {
  const secret = await crypto.subtle.importKey(
    "raw",
    new Uint8Array(base64url.decode(d)),
    "HKDF",
    false,
    ["deriveKey"],
  );
  return crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: INFO },
    secret,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}
