/** What the output head does with a token: speaks it, ends on it, opens a tool call with it, or never picks it. */
export type TokenRole = "spoken" | "stop" | "toolCall" | "silent";

export type Token = {
  readonly text: string;
  /** llama.cpp's `llama_token_type`. */
  readonly type: number;
  /** SentencePiece merges prefer the higher score. */
  readonly score: number;
  readonly role: TokenRole;
};

const NORMAL = 1;
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;
const BYTE = 6;

/** SentencePiece's mark for a space before a word. */
const SPACE = "\u2581";

const WORDS = [
  "a an and are as at be by can code do each far few for from good had has have hear in is it",
  "its key kind last line long make many mind more moon near new night no not now of old on one",
  "or our part peer river say sea sky small so some sun than that the them then there they this",
  "time to tree two under up was water way we were what when will wind with word work world you",
]
  .join(" ")
  .split(" ");

/** Spoken too, so that answers hold punctuation and characters of two, three and four bytes. */
const EXTRAS = [".", ",", `${SPACE}é`, `${SPACE}日本`, `${SPACE}🙂`];

const CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789{}[]\":_-/?!'";

function specialTokens(): Token[] {
  const control = (text: string, role: TokenRole): Token => ({
    text,
    type: CONTROL,
    score: 0,
    role,
  });
  return [
    { text: "<unk>", type: UNKNOWN, score: 0, role: "silent" },
    control("<s>", "silent"),
    control("</s>", "stop"),
    control("<|im_start|>", "silent"),
    control("<|im_end|>", "stop"),
    // One token, newline included: llama.cpp's grammar for tool calls is triggered by exactly this text.
    { text: "<tool_call>\n", type: USER_DEFINED, score: 0, role: "toolCall" },
  ];
}

/** One token for every byte value, so that any UTF-8 prompt can be tokenised. */
function byteTokens(): Token[] {
  return Array.from({ length: 256 }, (_, value) => {
    const hex = value.toString(16).toUpperCase().padStart(2, "0");
    return { text: `<0x${hex}>`, type: BYTE, score: 0, role: "silent" };
  });
}

function textTokens(): Token[] {
  const spoken = [...WORDS.map((word) => SPACE + word), ...EXTRAS];
  return [
    ...spoken.map((text, rank): Token => ({
      text,
      type: NORMAL,
      score: -10 - rank,
      role: "spoken",
    })),
    { text: SPACE, type: NORMAL, score: -1_000, role: "silent" },
    ...CHARACTERS.split("").map((text): Token => ({
      text,
      type: NORMAL,
      score: -1_000,
      role: "silent",
    })),
  ];
}

/** The vocabulary; a token's id is its index. */
export function tinyVocabulary(): readonly Token[] {
  return [...specialTokens(), ...byteTokens(), ...textTokens()];
}

/** Ids of the specials, as the GGUF metadata names them. */
export const SPECIAL_IDS = { unknown: 0, bos: 1, eos: 2, endOfTurn: 4 } as const;
