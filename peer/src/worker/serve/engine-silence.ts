import type { Clock } from "../../clock";

/** An engine without a word for so long is asked whether it is there: a cold model with a long prompt needs minutes. */
const ASK_AFTER_MS = 300_000;
const ASK_EVERY_MS = 60_000;
/** Some answer nobody while they think, but none for so long. */
const MOST_UNANSWERED = 6;

/** Counts while it is the engine's turn. */
export type SilenceWatch = {
  /** The engine did something, or its turn begins. */
  heard(): void;
  /** Somebody else keeps the engine waiting, until `heard`. */
  pause(): void;
  stop(): void;
};

/**
 * Tells an engine that thinks, which may take hours, from one that is gone without its connections having ended: its
 * machine lost power, or it hangs altogether. `isThere` never rejects.
 */
export function watchSilence(
  clock: Clock,
  isThere: () => Promise<boolean>,
  onGone: () => void,
): SilenceWatch {
  let isPaused = false;
  let isOver = false;
  let heardAtMs = clock.steadyMs();
  let unanswered = 0;
  let disarm = arm(ASK_AFTER_MS);

  // One timer, moved on when it is due: pieces of an answer come by the thousand.
  function arm(ms: number): () => void {
    return clock.after(ms, () => {
      if (silentMs() >= ASK_AFTER_MS) void ask();
      else waitAnew();
    });
  }

  function silentMs(): number {
    return isPaused ? 0 : clock.steadyMs() - heardAtMs;
  }
  function waitAnew(): void {
    unanswered = 0;
    disarm = arm(ASK_AFTER_MS - silentMs());
  }

  async function ask(): Promise<void> {
    unanswered = (await isThere()) ? 0 : unanswered + 1;
    if (isOver) return;
    // What it said meanwhile speaks for it.
    if (silentMs() < ASK_AFTER_MS) waitAnew();
    else if (unanswered === MOST_UNANSWERED) onGone();
    else disarm = arm(ASK_EVERY_MS);
  }

  return {
    heard() {
      isPaused = false;
      heardAtMs = clock.steadyMs();
    },
    pause() {
      isPaused = true;
    },
    stop() {
      isOver = true;
      disarm();
    },
  };
}
