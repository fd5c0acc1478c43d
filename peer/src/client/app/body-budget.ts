import { createHash } from "node:crypto";
import type { Outcome } from "#protocol/outcome";

/** One body; pictures and long conversations go up to some 64 MB. */
export const MOST_BODY_BYTES = 128 * 1_024 * 1_024;
/** All bodies together that are held at a time, so that many large ones cannot use up the memory. */
const MOST_BYTES_AT_ONCE = 512 * 1_024 * 1_024;
/** Bodies that announce less are not streamed in: a stream costs a small request as much as its signature. */
const AT_ONCE_BYTES = 256 * 1_024;

export type BodyRefusal = { readonly reason: "too_large" | "too_many" | "broken" };

export type HeldBody = {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** SHA-256, base64url. */
  readonly hash: string;
  /** Its bytes count no longer. */
  readonly release: () => void;
};

export type BodyBudget = {
  /** Reads a whole body: the model in it decides where it goes, and another node may need it again. */
  read(request: Request): Promise<Outcome<HeldBody, BodyRefusal>>;
};

export type BodyLimits = { readonly mostBytes?: number; readonly mostAtOnce?: number };

export function createBodyBudget({
  mostBytes = MOST_BODY_BYTES,
  mostAtOnce = MOST_BYTES_AT_ONCE,
}: BodyLimits = {}): BodyBudget {
  let heldBytes = 0;

  return {
    async read(request) {
      const announced = Number(request.headers.get("content-length") ?? 0);
      if (announced > mostBytes) return { ok: false, reason: "too_large" };
      // What is announced is refused before it is sent.
      if (heldBytes + announced > mostAtOnce) return { ok: false, reason: "too_many" };
      let counted = announced;
      heldBytes += counted;
      const release = (): void => {
        heldBytes -= counted;
        counted = 0;
      };
      const refuse = (reason: BodyRefusal["reason"]): { ok: false } & BodyRefusal => {
        release();
        return { ok: false, reason };
      };

      const hasher = createHash("sha256");
      const pieces: Uint8Array<ArrayBuffer>[] = [];
      let bytes = 0;
      try {
        for await (const chunk of piecesOf(request, announced)) {
          bytes += chunk.length;
          if (bytes > mostBytes) return refuse("too_large");
          heldBytes += Math.max(0, bytes - counted);
          counted = Math.max(counted, bytes);
          if (heldBytes > mostAtOnce) return refuse("too_many");
          hasher.update(chunk);
          pieces.push(chunk);
        }
      } catch {
        return refuse("broken"); // The app left before it had sent all of it.
      }
      const value = { bytes: joined(pieces, bytes), hash: hasher.digest("base64url"), release };
      return { ok: true, value };
    },
  };
}

function piecesOf(
  request: Request,
  announced: number,
): Iterable<Promise<Uint8Array<ArrayBuffer>>> | AsyncIterable<Uint8Array<ArrayBuffer>> {
  const isSmall = announced > 0 && announced <= AT_ONCE_BYTES;
  return isSmall ? [request.bytes()] : (request.body ?? []);
}

function joined(
  pieces: readonly Uint8Array<ArrayBuffer>[],
  bytes: number,
): Uint8Array<ArrayBuffer> {
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) return only;
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
