import { createHash, hash } from "node:crypto";
import type { Outcome } from "#protocol/outcome";

/** One body; pictures and long conversations go up to some 64 MB. */
export const MOST_BODY_BYTES = 128 * 1_024 * 1_024;
/** All bodies together that are held at a time, so that many large ones cannot use up the memory. */
const MOST_BYTES_AT_ONCE = 512 * 1_024 * 1_024;
/** Bodies that announce less are not streamed in: a stream costs a small request as much as its signature. */
const AT_ONCE_BYTES = 256 * 1_024;

export type BodyRefusal = { readonly reason: "too_large" | "too_many" | "broken" };

export type HeldBody = {
  readonly bytes: Buffer<ArrayBuffer>;
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
      let counted = 0;
      /** Counts so many bytes of this body as held; or why they can't be. */
      const count: Count = (bytes) => {
        if (bytes > mostBytes) return "too_large";
        const more = Math.max(0, bytes - counted);
        heldBytes += more;
        counted += more;
        return heldBytes > mostAtOnce ? "too_many" : undefined;
      };
      const release = (): void => {
        heldBytes -= counted;
        counted = 0;
      };
      const announced = Number(request.headers.get("content-length") ?? 0);
      // What is announced is refused before it is sent.
      let reason = count(announced);
      if (reason === undefined) {
        const isSmall = announced > 0 && announced <= AT_ONCE_BYTES;
        try {
          const read = isSmall
            ? atOnce(Buffer.from(await request.arrayBuffer()), count)
            : await inPieces(request, count);
          if (typeof read !== "string") return { ok: true, value: { ...read, release } };
          reason = read;
        } catch {
          reason = "broken"; // The app left before it had sent all of it.
        }
      }
      release();
      return { ok: false, reason };
    },
  };
}

type Reason = BodyRefusal["reason"];
type Read = Pick<HeldBody, "bytes" | "hash"> | Reason;
type Count = (bytes: number) => Reason | undefined;

function atOnce(bytes: Buffer<ArrayBuffer>, count: Count): Read {
  return count(bytes.length) ?? { bytes, hash: hash("sha256", bytes, "base64url") };
}

async function inPieces({ body }: Request, count: Count): Promise<Read> {
  const hasher = createHash("sha256");
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    const reason = count(bytes);
    if (reason !== undefined) return reason;
    hasher.update(chunk);
    pieces.push(chunk);
  }
  return { bytes: Buffer.concat(pieces), hash: hasher.digest("base64url") };
}
