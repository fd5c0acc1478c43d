import type { Clock } from "../../clock";
import type { ModelRoute } from "../../engines/catalogue";
import type { Decision } from "../../lending/decide";
import type { Policy } from "../../lending/policy";
import type { Jobs } from "../line/jobs";

/**
 * Gives the machine back to its owner once it lends no more: what runs may end for a while and is cut then, and later
 * the models that our jobs had loaded leave the memory.
 */
export type GiveBack = {
  /** A job begins with a model that its engine has to load first. */
  readonly loads: (route: ModelRoute) => void;
  decided(now: Decision): void;
  readonly stop: () => void;
};

export type GiveBackOptions = {
  readonly policy: Pick<Policy, "finishMs" | "unloadAfterMs">;
  readonly clock: Pick<Clock, "after">;
  readonly jobs: () => Pick<Jobs, "cutAll" | "drained">;
  /** False: the engine has no way, or did not do it. Never throws. */
  readonly unload: (route: ModelRoute) => Promise<boolean>;
  readonly onUnloaded: (modelId: string) => void;
};

export function createGiveBack({ policy, clock, jobs, ...options }: GiveBackOptions): GiveBack {
  const loadedByUs = new Map<string, ModelRoute>();
  let timers: readonly (() => void)[] = [];
  /** Another one with each stop, so that an unloading under way ends. */
  let turn = 0;

  function stop(): void {
    turn += 1;
    for (const disarm of timers) disarm();
    timers = [];
  }

  async function unloadAll(): Promise<void> {
    const own = turn;
    await jobs().drained();
    for (const [key, route] of loadedByUs) {
      if (turn !== own) return;
      loadedByUs.delete(key);
      if (await options.unload(route)) options.onUnloaded(route.offer.id);
    }
  }

  return {
    loads(route) {
      loadedByUs.set(`${route.engine.target.rootUrl} ${route.offer.id}`, route);
    },
    decided({ lends }) {
      if (lends) stop();
      if (lends || timers.length > 0) return;
      timers = [
        clock.after(policy.finishMs, () => jobs().cutAll("user_active")),
        clock.after(policy.unloadAfterMs, () => void unloadAll()),
      ];
    },
    stop,
  };
}
