import { MODEL } from "../demo-engine";
import { type Connection, openConnection, postBytes } from "./http-connection";
import { type StreamEnd, streamEnd } from "./stream-end";

export type StreamsPlan = {
  readonly kind: "streams";
  readonly url: string;
  readonly count: number;
  readonly tokens: number;
  /** A gap this long between two pieces of a stream counts as a stall. */
  readonly stallMs: number;
  readonly deadlineMs: number;
};

export type StreamsResult = {
  /** How many ended in which way. */
  readonly ends: Partial<Record<StreamEnd | "stalled" | "connection_broke" | "no_end", number>>;
  readonly mostAtOnce: number;
  readonly firstByteMs: number[];
  readonly endMs: number[];
  readonly longestGapMs: number;
};

type End = keyof StreamsResult["ends"];

/** One short stream to begin with, which brings a ticket; then all at once. */
export async function streamsLoad(plan: StreamsPlan): Promise<StreamsResult> {
  const request = postBytes(plan.url, "/v1/chat/completions", {
    model: MODEL,
    messages: [{ role: "user", content: "Tell a story." }],
    max_tokens: plan.tokens,
    stream: true,
  });
  const connections = await Promise.all(
    Array.from({ length: plan.count }, () => openConnection(plan.url)),
  );
  const [first] = connections;
  await first?.send(request);

  const ends: StreamsResult["ends"] = {};
  const firstByteMs: number[] = [];
  const endMs: number[] = [];
  let atOnce = 0;
  let mostAtOnce = 0;
  let longestGapMs = 0;

  async function stream(connection: Connection): Promise<End> {
    const pieces: Uint8Array[] = [];
    let lastMs = performance.now();
    let gapMs = 0;
    const onBody = (bytes: Uint8Array): void => {
      if (pieces.length === 0) mostAtOnce = Math.max(mostAtOnce, ++atOnce);
      const nowMs = performance.now();
      // Until the first piece it waits in a queue, which is measured apart.
      if (pieces.length > 0) gapMs = Math.max(gapMs, nowMs - lastMs);
      lastMs = nowMs;
      pieces.push(bytes);
    };
    try {
      const answer = await connection.send(request, onBody);
      firstByteMs.push(answer.firstByteMs);
      endMs.push(answer.endMs);
      longestGapMs = Math.max(longestGapMs, gapMs);
      const end = streamEnd(answer.status, Buffer.concat(pieces).toString(), plan.tokens);
      return end === "whole" && gapMs > plan.stallMs ? "stalled" : end;
    } catch {
      return "connection_broke";
    } finally {
      if (pieces.length > 0) atOnce -= 1;
    }
  }

  const deadline = Bun.sleep(plan.deadlineMs).then(() => "no_end" as const);
  await Promise.all(
    connections.map(async (connection) => {
      const end = await Promise.race([stream(connection), deadline]);
      ends[end] = (ends[end] ?? 0) + 1;
    }),
  );
  return { ends, mostAtOnce, firstByteMs, endMs, longestGapMs };
}
