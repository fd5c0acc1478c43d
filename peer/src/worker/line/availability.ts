import type { BusyReason } from "#protocol/busy";

/** Whether a node takes requests at all, however much room it has. */
export type Availability = {
  /** Why it takes none; `undefined`: it does. */
  readonly closedBy: Extract<BusyReason, "user_active" | "draining"> | undefined;
  /** Somebody uses this machine, or no longer does. What runs is not touched. */
  setUserActive(isActive: boolean): void;
  /** Nothing new from now on, for good. */
  drain(): void;
};

/** `onChange` is called when `closedBy` has another value than before. */
export function createAvailability(onChange: () => void): Availability {
  let isUserActive = false;
  let isDraining = false;
  const closedBy = (): Availability["closedBy"] => {
    if (isDraining) return "draining";
    return isUserActive ? "user_active" : undefined;
  };
  function change(set: () => void): void {
    const before = closedBy();
    set();
    if (closedBy() !== before) onChange();
  }

  return {
    get closedBy() {
      return closedBy();
    },
    setUserActive: (isActive) => change(() => void (isUserActive = isActive)),
    drain: () => change(() => void (isDraining = true)),
  };
}
