/** The first and the last bytes of a body, as Latin-1 text; what lies between is forgotten. */
export type KeptEnds = {
  feed(chunk: Buffer): void;
  head(): string;
  tail(): string;
  /** Head and tail, or only one of them where it is all. */
  pieces(): readonly string[];
};

export const KEPT_HEAD_BYTES = 2_048;
export const KEPT_TAIL_BYTES = 4_096;

/** A short body, or one of one piece, stays as it came; many small pieces would take more room than a copy of the ends. */
const MOST_AS_THEY_CAME = 64;

export function createKeptEnds(): KeptEnds {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let kept: ReturnType<typeof createBuffers> | undefined;
  function all(): Buffer {
    const [only] = chunks;
    return only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks);
  }

  return {
    feed(chunk) {
      if (kept !== undefined) {
        kept.feed(chunk);
        return;
      }
      chunks.push(chunk);
      bytes += chunk.length;
      const isShort =
        bytes <= KEPT_HEAD_BYTES + KEPT_TAIL_BYTES && chunks.length <= MOST_AS_THEY_CAME;
      if (isShort || chunks.length === 1) return;
      kept = createBuffers();
      for (const one of chunks) kept.feed(one);
      chunks = [];
    },
    head: () => kept?.head() ?? headOf(all()),
    tail: () => kept?.tail() ?? tailOf(all()),
    pieces: () => (kept === undefined ? endsOf(all()) : [kept.head(), kept.tail()]),
  };
}

/** `pieces` of a body that has come whole. */
export function endsOf(body: Buffer): readonly string[] {
  return body.length <= KEPT_TAIL_BYTES ? [tailOf(body)] : [headOf(body), tailOf(body)];
}

function headOf(body: Buffer): string {
  return body.toString("latin1", 0, KEPT_HEAD_BYTES);
}

function tailOf(body: Buffer): string {
  return body.toString("latin1", Math.max(0, body.length - KEPT_TAIL_BYTES));
}

function createBuffers(): Omit<KeptEnds, "pieces"> {
  const head = Buffer.allocUnsafe(KEPT_HEAD_BYTES);
  let headBytes = 0;
  // Twice the size, so that old bytes are moved out once in a while instead of with each chunk.
  const tail = Buffer.allocUnsafe(2 * KEPT_TAIL_BYTES);
  let tailBytes = 0;

  return {
    feed(chunk) {
      if (headBytes < KEPT_HEAD_BYTES) {
        const part = chunk.subarray(0, KEPT_HEAD_BYTES - headBytes);
        head.set(part, headBytes);
        headBytes += part.length;
      }
      const last = chunk.length > KEPT_TAIL_BYTES ? chunk.subarray(-KEPT_TAIL_BYTES) : chunk;
      if (tailBytes + last.length > tail.length) {
        tail.copyWithin(0, tailBytes - KEPT_TAIL_BYTES, tailBytes);
        tailBytes = KEPT_TAIL_BYTES;
      }
      tail.set(last, tailBytes);
      tailBytes += last.length;
    },
    head: () => head.toString("latin1", 0, headBytes),
    tail: () => tail.toString("latin1", Math.max(0, tailBytes - KEPT_TAIL_BYTES), tailBytes),
  };
}
