const LAST_WORDS = /: x-troop-credits: \d+(?:\.\d+)?\n\n$/;

/** A stream without the comment that a client puts at its end, if any. */
export function textOfStream(text: string): string {
  return text.replace(LAST_WORDS, "");
}

/** The same for a stream that has to have one; throws where it has none. */
export function withoutLastWords(text: string): string {
  if (!LAST_WORDS.test(text)) {
    throw new Error(`No comment ends ${JSON.stringify(text.slice(-200))}.`);
  }
  return textOfStream(text);
}
