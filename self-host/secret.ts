import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** 256 random bits, safe in URLs and headers. */
export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** Its check takes the same time wherever the two differ, and whatever their lengths. */
export function secretChecker(expected: string): (given: string) => boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  const expectedDigest = digest(expected);
  return (given) => timingSafeEqual(digest(given), expectedDigest);
}
