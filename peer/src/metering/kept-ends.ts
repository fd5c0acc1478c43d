/** The first and the last bytes of a body, as Latin-1 text; what lies between is forgotten. */
export type KeptEnds = {
  feed(chunk: Uint8Array): void;
  head(): string;
  tail(): string;
  /** Head and tail, or only one of them where it is all. */
  pieces(): readonly string[];
};

export const KEPT_HEAD_BYTES = 2_048;
export const KEPT_TAIL_BYTES = 4_096;

export function createKeptEnds(): KeptEnds {
  /** A body of one piece, as most small ones are, is looked at where it lies. */
  let only: Uint8Array | undefined;
  let kept: ReturnType<typeof createBuffers> | undefined;

  return {
    feed(chunk) {
      if (kept === undefined && only === undefined) {
        only = chunk;
        return;
      }
      if (kept === undefined) {
        kept = createBuffers();
        if (only !== undefined) kept.feed(only);
        only = undefined;
      }
      kept.feed(chunk);
    },
    head: () => kept?.head() ?? latin1(only?.subarray(0, KEPT_HEAD_BYTES)),
    tail: () => kept?.tail() ?? latin1(only?.subarray(-KEPT_TAIL_BYTES)),
    pieces() {
      if (kept !== undefined) return [kept.head(), kept.tail()];
      return only === undefined ? [] : endsOf(only);
    },
  };
}

/** `pieces` of a body that has come whole. */
export function endsOf(body: Uint8Array): readonly string[] {
  if (body.length <= KEPT_TAIL_BYTES) return [latin1(body)];
  return [latin1(body.subarray(0, KEPT_HEAD_BYTES)), latin1(body.subarray(-KEPT_TAIL_BYTES))];
}

function latin1(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return "";
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
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
