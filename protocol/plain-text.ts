/**
 * Text that is safe in a terminal and in Postgres: no control characters (C0, DEL, C1), no half of a surrogate pair.
 * For a `.regex()`; the length is the schema's own affair.
 */
export const PLAIN_TEXT = /^[^\p{Cc}\p{Cs}]*$/u;
export const PLAIN_TEXT_RULE = "must not hold control characters";
