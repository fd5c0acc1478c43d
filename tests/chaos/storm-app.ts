import { between, type Random } from "./random";
import { textOfStream } from "#support/last-words";

/**
 * How a request ended. `whole`: all of its answer came. `told`: it broke in the middle, and ended in an error of its API.
 * `reset`: an answer that is no stream broke, and its connection with it. The others must not be: `refused` was never
 * begun, `silent` ended like a whole one or without a word, `hung` stood still.
 */
export type Ending = "whole" | "told" | "reset" | "refused" | "silent" | "hung";

export type Ended = {
  readonly ending: Ending;
  /** What the app saw, of what must not be. */
  readonly saw: string;
  readonly longestSilenceMs: number;
};

const HANGS_AFTER_MS = 35_000;
/** It had begun: a node had said half of it. */
const BROKEN = '"code":"stream_broken"';
const DONE = "data: [DONE]\n\n";

/** One request as an app makes it: a stream, or an answer in one piece. */
export async function askOnce(url: string, model: string, random: Random): Promise<Ended> {
  const stream = random() < 0.6;
  const body = JSON.stringify({
    model,
    stream,
    max_tokens: between(random, 5, 60),
    messages: [{ role: "user", content: `Request ${crypto.randomUUID()}` }],
  });
  const app = new AbortController();
  let heardMs = performance.now();
  let longestSilenceMs = 0;
  const heard = (): void => {
    const nowMs = performance.now();
    longestSilenceMs = Math.max(longestSilenceMs, nowMs - heardMs);
    heardMs = nowMs;
  };
  const watch = setInterval(() => {
    if (performance.now() - heardMs > HANGS_AFTER_MS) app.abort();
  }, 500);

  let text = "";
  let hasBegun = false;
  const ended = (ending: Ending, saw = ""): Ended => {
    heard();
    return { ending, saw, longestSilenceMs };
  };
  try {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      signal: app.signal,
    });
    heard();
    if (answer.status !== 200) {
      const saw = `${answer.status} ${await answer.text()}`;
      return ended(!stream && saw.includes(BROKEN) ? "told" : "refused", saw);
    }
    const decoder = new TextDecoder();
    for await (const piece of answer.body ?? []) {
      heard();
      hasBegun = true;
      text += decoder.decode(piece, { stream: true });
    }
    if (stream) {
      if (!textOfStream(text).endsWith(DONE)) return ended("silent", `ends in ${text.slice(-200)}`);
      return ended(text.includes('data: {"error":') ? "told" : "whole");
    }
    return isWhole(text) ? ended("whole") : ended("silent", text.slice(-200));
  } catch (error) {
    if (app.signal.aborted) return ended("hung", `after ${text.length} characters`);
    const name = error instanceof Error ? error.message : "an error";
    if (!hasBegun) return ended("refused", `no answer: ${name}`);
    return stream ? ended("silent", `broke in ${text.slice(-200)}`) : ended("reset");
  } finally {
    clearInterval(watch);
  }
}

function isWhole(text: string): boolean {
  try {
    return "choices" in (JSON.parse(text) as object);
  } catch {
    return false; // Half of an answer, taken for a whole one.
  }
}
