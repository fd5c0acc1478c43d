import type { Ask } from "./ask";
import { type Piece, piece, prose } from "./prose";
import { sampleJson } from "./sample-json";

/** A whole answer, before anybody has put it into frames. */
export type Answer = {
  readonly id: string;
  readonly createdSeconds: number;
  /** The model's name as the engine reports it. */
  readonly model: string;
  /** One per completion token; of the tool's arguments if `toolName` is set. */
  readonly pieces: readonly Piece[];
  readonly finish: "stop" | "length" | "tool";
  readonly toolName: string | null;
  readonly toolCallId: string;
  readonly promptTokens: number;
};

export type AnswerRules = {
  readonly tokensPerAnswer: number;
  /** Characters of tool arguments per delta; null sends them whole. */
  readonly toolArgumentStep: number | null;
};

export function writeAnswer(
  ask: Ask,
  names: Pick<Answer, "id" | "createdSeconds" | "model" | "toolCallId">,
  rules: AnswerRules,
): Answer {
  const base = { ...names, promptTokens: ask.promptTokens };
  if (ask.tool !== null) {
    const json = JSON.stringify(sampleJson(ask.tool.schema));
    const pieces = chop(json, rules.toolArgumentStep);
    return { ...base, pieces, finish: "tool", toolName: ask.tool.name };
  }

  const full =
    ask.jsonSchema === undefined ? null : chop(JSON.stringify(sampleJson(ask.jsonSchema)), 4);
  const wanted = full?.length ?? rules.tokensPerAnswer;
  const count = Math.min(wanted, ask.maxTokens ?? wanted);
  const pieces = full?.slice(0, count) ?? prose(ask.seed, count);
  return { ...base, pieces, finish: count < wanted ? "length" : "stop", toolName: null };
}

export function answerText(answer: Answer): string {
  let text = "";
  for (const { text: part } of answer.pieces) text += part;
  return text;
}

/** Splits between code points, so that no piece is half a character. */
function chop(text: string, step: number | null): Piece[] {
  if (step === null) return [piece(text)];
  const points = Array.from(text);
  const pieces: Piece[] = [];
  for (let at = 0; at < points.length; at += step) {
    pieces.push(piece(points.slice(at, at + step).join("")));
  }
  return pieces;
}
