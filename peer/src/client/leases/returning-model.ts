/** A model that was there so lately may be back in a moment. */
const LATELY_MS = 5 * 60_000;
const ASK_AGAIN_MS = 1_000;

export type ReturningModels<Value> = {
  /** It is there. */
  readonly seen: (model: string) => void;
  /** Whether it is waited for, should it be gone. */
  readonly mayReturn: (model: string) => boolean;
  /**
   * What `ask` comes to; where it rejects because the model is gone, but it was there lately, what it comes to once it is
   * back: its nodes are being restarted, or the coordinator lost its list and hears of each again. All who wait for a
   * model share the asking. Rejects with the last refusal after the time that it waits; who comes then is told at once.
   */
  readonly waitFor: (model: string, ask: () => Promise<Value>) => Promise<Value>;
};

export type ReturningDeps = {
  readonly nowMs: () => number;
  /** 0: nothing is waited for. */
  readonly patienceMs: number;
  readonly isGone: (error: unknown) => boolean;
};

export function createReturningModels<Value>(deps: ReturningDeps): ReturningModels<Value> {
  const { nowMs, patienceMs, isGone } = deps;
  const seenAtMs = new Map<string, number>();
  const waits = new Map<string, Promise<Value>>();

  async function untilBack(
    model: string,
    ask: () => Promise<Value>,
    untilMs: number,
  ): Promise<Value> {
    for (;;) {
      await Bun.sleep(ASK_AGAIN_MS);
      try {
        return await ask();
      } catch (error) {
        if (!isGone(error)) throw error;
        if (nowMs() + ASK_AGAIN_MS <= untilMs) continue;
        seenAtMs.delete(model);
        throw error;
      }
    }
  }

  function mayReturn(model: string): boolean {
    const isLately = nowMs() - (seenAtMs.get(model) ?? -Infinity) <= LATELY_MS;
    return isLately && patienceMs >= ASK_AGAIN_MS;
  }

  return {
    seen: (model) => void seenAtMs.set(model, nowMs()),
    mayReturn,
    async waitFor(model, ask) {
      try {
        return await ask();
      } catch (error) {
        if (!isGone(error) || !mayReturn(model)) throw error;
      }
      let wait = waits.get(model);
      if (wait === undefined) {
        const until = nowMs() + patienceMs;
        wait = untilBack(model, ask, until).finally(() => waits.delete(model));
        waits.set(model, wait);
      }
      return wait;
    },
  };
}
