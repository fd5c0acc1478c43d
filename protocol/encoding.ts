import { base64url } from "jose";

const utf8 = new TextEncoder();

/** SHA-256 of bytes or of a string's UTF-8 form, as unpadded base64url (43 characters). */
export async function sha256Base64url(data: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof data === "string" ? utf8.encode(data) : data;
  return base64url.encode(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}
