import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { sha256Base64url } from "#protocol/encoding";

it("a hash is SHA-256 in 43 characters of base64url, of bytes and of texts in UTF-8", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array(), fc.string({ unit: "grapheme" }), async (data, text) => {
      const expected = (input: Uint8Array | string) =>
        createHash("sha256").update(input).digest("base64url");
      expect(await sha256Base64url(Uint8Array.from(data))).toBe(expected(data));
      expect(await sha256Base64url(text)).toBe(expected(text));
      expect(await sha256Base64url(text)).toHaveLength(43);
    }),
  );
});
