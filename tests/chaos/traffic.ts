import { createHash } from "node:crypto";
import { between, type Random } from "./random";

/** Requests as apps make them: streams and whole answers, some of which their app leaves. */
export type Sent = {
  /** SHA-256 of the body, lower-case hex: no two are the same. */
  readonly hash: string;
  /** Resolves however it ends. */
  readonly ended: Promise<"answered" | "failed" | "left">;
};

export function sendRequest(url: string, model: string, random: Random): Sent {
  const body = JSON.stringify({
    model,
    stream: random() < 0.5,
    max_tokens: between(random, 1, 40),
    messages: [{ role: "user", content: `Request ${crypto.randomUUID()}` }],
  });
  const app = new AbortController();
  const leavesAfterMs = random() < 0.15 ? between(random, 1, 200) : undefined;
  const timer =
    leavesAfterMs === undefined ? undefined : setTimeout(() => app.abort(), leavesAfterMs);
  const ended = answerOf(`${url}/v1/chat/completions`, body, app.signal).finally(() =>
    clearTimeout(timer),
  );
  return { hash: createHash("sha256").update(body).digest("hex"), ended };
}

async function answerOf(
  url: string,
  body: string,
  signal: AbortSignal,
): Promise<"answered" | "failed" | "left"> {
  try {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(url, { method: "POST", headers, body, signal });
    await answer.text();
    return answer.ok ? "answered" : "failed";
  } catch {
    return signal.aborted ? "left" : "failed"; // Whoever was killed took the connection along.
  }
}
