/** One token of an answer and the same as JSON, worked out once. */
export type Piece = { readonly text: string; readonly json: string };

const OPENING = [
  "This",
  " is",
  " Monkey",
  " Troop",
  "'s",
  " demo",
  " engine",
  ";",
  " no",
  " model",
  " is",
  " running",
  ".",
].map(piece);

/** Several need two to four bytes a character, so that a careless split shows. */
const WORDS = [
  " bananas",
  " café",
  " 日本",
  " 🙂",
  " canopy",
  " naïve",
  " vines",
  " Ωmega",
  " troop",
  " leaps",
  " über",
  " branch",
  " 木",
  " quietly",
  " rain",
  " forest",
  " señor",
  " swings",
  " far",
  " and",
  " near",
  " under",
  " moon",
  " 🐒",
  " shares",
  " fruit",
  " with",
  " every",
  " neighbour",
  " until",
  " dawn",
  " Zürich",
].map(piece);

const END = piece(".");

export function piece(text: string): Piece {
  return { text, json: JSON.stringify(text) };
}

/** `count` tokens that depend on the seed alone; the first ones always say what is speaking. */
export function prose(seed: string, count: number): readonly Piece[] {
  if (count <= OPENING.length) return OPENING.slice(0, count);
  const pieces = OPENING.slice();
  let state = fnv1a(seed) || 1;
  while (pieces.length < count - 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    pieces.push(WORDS[(state >>> 0) % WORDS.length] ?? END);
  }
  pieces.push(END);
  return pieces;
}

/** A count that grows with the text; not any model's real tokenizer. */
export function countTokens(text: string): number {
  return Math.ceil(text.length / 4);
}

export function fnv1a(text: string): number {
  let hash = 0x81_1c_9d_c5;
  // A long conversation need not be hashed whole on every turn: its end tells requests apart.
  for (let at = Math.max(0, text.length - 4_096); at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01_00_01_93);
  }
  return hash >>> 0;
}
