import { createHash, timingSafeEqual } from "node:crypto";

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Whether an app shows the key that this endpoint asks for, where the SDKs put theirs. */
export function hasAppKey(headers: Headers, apiKey: string): boolean {
  const bearer = /^Bearer +(.+)$/i.exec(headers.get("authorization") ?? "")?.[1];
  const shown = bearer ?? headers.get("x-api-key") ?? headers.get("api-key") ?? "";
  // Of digests, so that the time says nothing about how much of a guess was right, nor how long the key is.
  return timingSafeEqual(digest(shown), digest(apiKey));
}
