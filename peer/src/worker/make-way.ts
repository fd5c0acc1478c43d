import type { Clock } from "../clock";
import type { Decision } from "../lending/decide";
import type { Policy } from "../lending/policy";
import type { Jobs } from "./jobs";

/** Gives the machine back to its owner: what runs may end for a while, then it is cut. */
export type MakeWay = {
  decided(now: Decision): void;
  readonly stop: () => void;
};

export function createMakeWay(options: {
  readonly policy: Pick<Policy, "finishMs">;
  readonly clock: Pick<Clock, "after">;
  readonly jobs: Pick<Jobs, "cutAll">;
}): MakeWay {
  const { policy, clock, jobs } = options;
  let disarm: (() => void) | undefined;

  function stop(): void {
    disarm?.();
    disarm = undefined;
  }

  return {
    decided({ lends }) {
      if (lends) stop();
      else disarm ??= clock.after(policy.finishMs, () => jobs.cutAll("user_active"));
    },
    stop,
  };
}
