/** What passed by in a copy of an event stream; it holds one line's start, however long the stream runs. */
export type SseWatch = {
  feed(chunk: Buffer): void;
  /** `data: [DONE]` was there. */
  readonly isDone: boolean;
  /** The stream said itself that it failed: `event: error`, or data that is an error. */
  readonly isErrorTold: boolean;
  /** Name of the last event: from its `event:` line, else from its data's `type`. */
  readonly lastEvent: string;
  /** What has to be sent before a new event can begin. */
  readonly gap: "" | "\n" | "\n\n";
};

const LF = 10;
const CR = 13;
/** Enough of a line to know it by: the longest event name has 46 characters. */
const KEPT = 96;
const [SPACE, QUOTE, LOWER_D, LOWER_E, LOWER_I, BRACE] = [32, 34, 100, 101, 105, 123];
const EVENT = /^event: ?([^\r]*)/;
const DONE = /^data: ?\[DONE\]/;
const ERROR = /^data: ?\{\s*"error"\s*:\s*[^\sn]/;
const TYPE = /^data: ?\{\s*"type"\s*:\s*"([^"]*)"/;

export function createSseWatch(): SseWatch {
  let carried = "";
  let isInLine = false;
  let isAfterBlank = true;
  let isDone = false;
  let isErrorTold = false;
  let lastEvent = "";
  let isNamed = false;

  function endLine(start: string): void {
    const isBlank = start === "" || start === "\r";
    isAfterBlank = isBlank;
    if (isBlank) {
      isNamed = false;
      return;
    }
    const name = EVENT.exec(start)?.[1];
    if (name !== undefined) {
      isNamed = true;
      lastEvent = name;
      isErrorTold ||= name === "error";
    } else if (DONE.test(start)) {
      isDone = true;
    } else {
      if (!isNamed) lastEvent = TYPE.exec(start)?.[1] ?? lastEvent;
      isErrorTold ||= lastEvent === "error" || ERROR.test(start);
    }
  }

  function feed(chunk: Buffer): void {
    let from = 0;
    for (let end = indexOfLf(chunk, 0); end !== -1; end = indexOfLf(chunk, from)) {
      if (end === from && !isInLine) {
        // Every other line is one of these, without a text to look at.
        isAfterBlank = true;
        isNamed = false;
      } else if (isInLine) {
        endLine(
          carried + chunk.toString("latin1", from, Math.min(end, from + KEPT - carried.length)),
        );
      } else if (isTelling(chunk, from)) {
        endLine(chunk.toString("latin1", from, Math.min(end, from + KEPT)));
      } else {
        isAfterBlank = false;
      }
      isInLine = false;
      carried = "";
      from = end + 1;
    }
    if (from < chunk.length) {
      isInLine = true;
      carried += chunk.toString("latin1", from, from + KEPT - carried.length);
    }
  }

  return {
    feed,
    get isDone() {
      return isDone;
    },
    get isErrorTold() {
      return isErrorTold;
    },
    get lastEvent() {
      return lastEvent;
    },
    get gap() {
      if (isInLine) return "\n\n";
      return isAfterBlank ? "" : "\n";
    },
  };
}

/** Whether a line needs a look: most are chunks of text, `data: {"id":…`, and are known by a few bytes. */
function isTelling(chunk: Buffer, from: number): boolean {
  const first = chunk[from];
  if (first === CR || first === LOWER_E) return true;
  if (first !== LOWER_D) return false;
  const brace = chunk[from + 5] === SPACE ? from + 6 : from + 5;
  return !(chunk[brace] === BRACE && chunk[brace + 1] === QUOTE && chunk[brace + 2] === LOWER_I);
}

function indexOfLf(chunk: Buffer, from: number): number {
  return Uint8Array.prototype.indexOf.call(chunk, LF, from);
}
