/** One body; pictures and long conversations go up to some 64 MB. */
export const MOST_BODY_BYTES = 128 * 1_024 * 1_024;
/** All bodies together that wait for their nodes, so that many large ones cannot use up the memory. */
const MOST_BYTES_AT_ONCE = 1_024 * 1_024 * 1_024;

export type BodyRefusal = { readonly reason: "too_large" | "too_many" | "broken" };

export type HeldBody = {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Its bytes count no longer. */
  release(): void;
};

export type BodyBudget = {
  /** Reads a whole body: the model in it decides where it goes, and another node may need it again. */
  read(request: Request): Promise<{ ok: true; value: HeldBody } | ({ ok: false } & BodyRefusal)>;
};

export function createBodyBudget(mostAtOnce: number = MOST_BYTES_AT_ONCE): BodyBudget {
  let held = 0;

  return {
    async read(request) {
      const announced = Number(request.headers.get("content-length") ?? 0);
      if (announced > MOST_BODY_BYTES) return { ok: false, reason: "too_large" };
      const pieces: Uint8Array[] = [];
      let bytes = 0;
      const release = () => {
        held -= bytes;
        bytes = 0;
      };
      try {
        for await (const chunk of request.body ?? []) {
          bytes += chunk.length;
          held += chunk.length;
          const reason =
            bytes > MOST_BODY_BYTES ? "too_large" : held > mostAtOnce ? "too_many" : undefined;
          if (reason !== undefined) {
            release();
            return { ok: false, reason };
          }
          pieces.push(chunk);
        }
      } catch {
        release();
        return { ok: false, reason: "broken" }; // The app left before it had sent all of it.
      }
      return { ok: true, value: { bytes: joined(pieces, bytes), release } };
    },
  };
}

function joined(pieces: readonly Uint8Array[], bytes: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
