import type { Clock } from "../../clock";
import { ENGINE_SILENCE } from "../../engines/engine-there";

const ASK_AFTER_MS = ENGINE_SILENCE.askAfterS * 1_000;
const ASK_EVERY_MS = ENGINE_SILENCE.askEveryS * 1_000;

/** Counts while it is the engine's turn. */
export type SilenceWatch = {
  /** The engine did something, or its turn begins. */
  heard(): void;
  /** Somebody else keeps the engine waiting, until `heard`. */
  pause(): void;
  /** Sees whether it has been silent for too long. Called each second or so: a timer of its own costs a short request more. */
  look(): void;
  stop(): void;
};

/**
 * Tells an engine that thinks, which may take hours, from one that is gone without its connections having ended: its
 * machine lost power, or it hangs altogether. `isThere` never rejects.
 */
export function watchSilence(
  clock: Pick<Clock, "steadyMs">,
  isThere: () => Promise<boolean>,
  onGone: () => void,
): SilenceWatch {
  let isPaused = false;
  let isAsking = false;
  let isOver = false;
  let heardAtMs = clock.steadyMs();
  /** Since the last look; a look at the clock for each token would add up. */
  let wasHeard = false;
  let unanswered = 0;
  /** Of silence, at which it is asked next. */
  let askAtMs = ASK_AFTER_MS;

  function silentMs(): number {
    if (wasHeard || isPaused) heardAtMs = clock.steadyMs();
    wasHeard = false;
    return clock.steadyMs() - heardAtMs;
  }

  async function ask(): Promise<void> {
    isAsking = true;
    unanswered = (await isThere()) ? 0 : unanswered + 1;
    isAsking = false;
    askAtMs = silentMs() + ASK_EVERY_MS;
    // What it said meanwhile speaks for it.
    if (isOver || silentMs() < ASK_AFTER_MS || unanswered < ENGINE_SILENCE.mostUnanswered) return;
    isOver = true;
    onGone();
  }

  return {
    heard() {
      isPaused = false;
      wasHeard = true;
    },
    pause() {
      isPaused = true;
    },
    look() {
      if (isOver || isAsking) return;
      if (silentMs() < ASK_AFTER_MS) {
        unanswered = 0;
        askAtMs = ASK_AFTER_MS;
      } else if (silentMs() >= askAtMs) {
        void ask();
      }
    },
    stop() {
      isOver = true;
    },
  };
}
