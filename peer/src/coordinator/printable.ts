const MAX_CHARACTERS = 400;

/** Text from the network made fit for a terminal: no control or direction characters, bounded. */
export function printable(text: string, maxCharacters: number = MAX_CHARACTERS): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return clean.length > maxCharacters ? `${clean.slice(0, maxCharacters - 1)}…` : clean;
}
