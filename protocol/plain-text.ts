/**
 * Text that is safe in a terminal, on a page and in Postgres: no control characters (C0, DEL, C1), no half of a surrogate
 * pair, no line or paragraph separator, and none that makes a reader see other text than was written (bidi controls).
 * For a `.regex()`; the length is the schema's own affair.
 */
export const PLAIN_TEXT =
  /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]*$/u;
export const PLAIN_TEXT_RULE = "must not hold control or direction characters";
