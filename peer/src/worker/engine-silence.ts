import type { Clock } from "../clock";

/** An engine without a word for so long is taken for stuck: a cold model with a long prompt needs minutes. */
export const ENGINE_SILENCE_MS = 600_000;

/** Counts while it is the engine's turn. */
export type SilenceWatch = {
  /** The engine did something, or its turn begins. */
  heard(): void;
  /** Somebody else keeps the engine waiting, until `heard`. */
  pause(): void;
  stop(): void;
};

export function watchSilence(clock: Clock, onSilence: () => void): SilenceWatch {
  let isPaused = false;
  let heardAtMs = clock.steadyMs();
  let disarm = arm(ENGINE_SILENCE_MS);

  // One timer, moved on when it is due: pieces of an answer come by the thousand.
  function arm(ms: number): () => void {
    return clock.after(ms, () => {
      const sinceMs = isPaused ? 0 : clock.steadyMs() - heardAtMs;
      if (sinceMs >= ENGINE_SILENCE_MS) onSilence();
      else disarm = arm(ENGINE_SILENCE_MS - sinceMs);
    });
  }

  return {
    heard() {
      isPaused = false;
      heardAtMs = clock.steadyMs();
    },
    pause() {
      isPaused = true;
    },
    stop: () => disarm(),
  };
}
