import { z } from "zod";

const afterTokens = z.int().nonnegative().default(3);

/** A way to go wrong. Counts are tokens of the answer that still arrive whole. */
export const Fault = z.discriminatedUnion("kind", [
  /** Refuses before the first token, in the engine's error shape. */
  z.object({ kind: z.literal("error"), status: z.int().min(400).max(599).default(500) }),
  /** Fails while streaming, the way this engine does; a non-stream request gets a 500. */
  z.object({ kind: z.literal("error-midway"), after: afterTokens }),
  /** Resets the connection. */
  z.object({ kind: z.literal("cut"), after: afterTokens }),
  /** Sends no more and keeps the connection open until the client leaves. */
  z.object({ kind: z.literal("stall"), after: afterTokens }),
  /** Puts a frame whose JSON is broken into the stream, and goes on. */
  z.object({ kind: z.literal("malformed"), after: afterTokens }),
  /** Puts an SSE comment into the stream, as llama.cpp does to keep a silent one open. */
  z.object({ kind: z.literal("ping"), after: afterTokens }),
  /** Ends the stream in good order with no token in it (LM Studio does that on overflow). */
  z.object({ kind: z.literal("empty") }),
  z.object({ kind: z.literal("slow-first-token"), ms: z.int().nonnegative().default(2_000) }),
  /** Cuts the bytes into pieces of this size, wherever that falls in frame or character. */
  z.object({ kind: z.literal("split"), bytes: z.int().positive().default(7) }),
]);
export type Fault = z.infer<typeof Fault>;
export type FaultInput = z.input<typeof Fault>;

/** Reads `x-demo-fault`, for instance `cut; after=5`; null if it names no fault we know. */
export function parseFault(header: string): Fault | null {
  const [kind, ...parameters] = header.split(";").map((part) => part.trim());
  const fields = parameters.map((parameter) => {
    const [name = "", value = ""] = parameter.split("=");
    return [name.trim(), Number(value)] as const;
  });
  const parsed = Fault.safeParse({ ...Object.fromEntries(fields), kind });
  return parsed.success ? parsed.data : null;
}
