/** Takes the count of tokens out of a stream whose app did not ask for it. */
export type UsageFilter = {
  /** What of this may go on; the beginning of an event waits until it is known. */
  pass(chunk: Buffer): Buffer;
  /** What waited, where nothing more will come. */
  rest(): Buffer;
};

const [LF, CR] = [10, 13];
const NOTHING = Buffer.alloc(0);
/** No event that counts tokens is longer; what is longer goes on as it comes. */
const MOST_HELD_BYTES = 16 * 1_024;
const USAGE = Buffer.from('"usage"');

/**
 * Events are told apart by their blank lines; all but the one with the count pass byte for byte, and begin to pass as soon
 * as they can't be that one.
 */
export function createUsageFilter(): UsageFilter {
  let held: Buffer = NOTHING;
  /** In the middle of an event that has begun to pass. */
  let isPassing = false;

  function pass(chunk: Buffer): Buffer {
    // Most chunks are whole events with nothing to take out.
    if (held.length === 0 && !isPassing && endsEvent(chunk) && !chunk.includes(USAGE)) return chunk;
    const all = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const pieces: Buffer[] = [];
    let from = 0;
    for (let end = eventEnd(all, from); end !== -1; end = eventEnd(all, from)) {
      const event = all.subarray(from, end);
      if (isPassing || !isCount(event)) pieces.push(event);
      isPassing = false;
      from = end;
    }
    held = all.subarray(from);
    if (held.length > 0 && (isPassing || !mayBeCount(held))) {
      isPassing = true;
      // The blank line that ends it may be cut in two.
      const ending = endOfText(held);
      pieces.push(held.subarray(0, ending));
      held = held.subarray(ending);
    }
    return pieces.length === 1 ? (pieces[0] ?? NOTHING) : Buffer.concat(pieces);
  }

  return {
    pass,
    rest() {
      const last = held;
      held = NOTHING;
      return last;
    },
  };
}

function endsEvent(bytes: Buffer): boolean {
  const { length } = bytes;
  if (bytes[length - 1] !== LF) return false;
  return bytes[length - 2] === LF || (bytes[length - 2] === CR && bytes[length - 3] === LF);
}

/** Behind the blank line that ends the first event, or -1. */
function eventEnd(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(LF, from); at !== -1; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return -1;
}

/** Where the line ends begin that bytes end with. */
function endOfText(bytes: Buffer): number {
  let at = bytes.length;
  while (at > 0 && (bytes[at - 1] === LF || bytes[at - 1] === CR)) at -= 1;
  return at;
}

/** Whether an event that begins so may turn out to be one. */
function mayBeCount(start: Buffer): boolean {
  const text = start.toString("latin1");
  if (text.length > MOST_HELD_BYTES) return false;
  if (!/^(?:data:\s*\{|data:\s*$|d?a?t?a?$)/.test(text)) return false;
  const first = /"choices"\s*:\s*\[\s*([^\s])/.exec(text)?.[1];
  return first === undefined || first === "]";
}

/** An event that holds a count of tokens and no part of the answer. */
function isCount(event: Buffer): boolean {
  if (!event.includes(USAGE)) return false;
  const data = /^data:\s*(\{.*\})\s*$/s.exec(event.toString("utf8"))?.[1];
  if (data === undefined) return false;
  try {
    const { choices, usage } = JSON.parse(data) as { choices?: unknown; usage?: unknown };
    const isEmpty = Array.isArray(choices) && choices.length === 0;
    return isEmpty && typeof usage === "object" && usage !== null;
  } catch {
    return false; // Whatever it is, it is the app's.
  }
}
