import { backoffMs } from "../../backoff";

/**
 * Whether requests go to a node, by what became of those before. A failure opens the circuit for a while, longer with
 * each one in a row. Then one probe has to find the node there; after it one request at a time goes to it, until one is
 * answered.
 */
export type Circuit = {
  /** Nothing goes there that could go elsewhere. */
  readonly isOpen: boolean;
  /** When its node may be probed, where the circuit is open. */
  readonly untilMs: number;
  /**
   * Milliseconds after which another try may find it back; `undefined`: it does not fail, has never answered, or has been
   * failing for too long to be just starting again.
   */
  readonly backInMs: number | undefined;
  /** A request goes there. */
  begun(): void;
  answered(): void;
  failed(): void;
  /** A request ended without a word about the node. */
  leftOff(): void;
  /** True once for each probe that is due; its result has to be told. */
  takeProbe(): boolean;
  probed(isThere: boolean): void;
};

/** Being started again takes seconds. */
const AWAY_FOR_MS = 30_000;
/** Between looks at whether it is back. */
const LOOK_EVERY_MS = 2_000;

export type CircuitClock = { readonly nowMs: () => number; readonly random?: () => number };

export function createCircuit({ nowMs, random = Math.random }: CircuitClock): Circuit {
  let phase: "closed" | "open" | "trial" = "closed";
  let failures = 0;
  let untilMs = 0;
  let isProbing = false;
  let isOnTrial = false;
  let hasAnswered = false;
  /** Of the first failure that no answer has followed. */
  let sinceMs: number | undefined;

  function failed(): void {
    sinceMs ??= nowMs();
    // Requests that were under way together and fail together count once.
    if (phase === "open" && nowMs() < untilMs) return;
    failures += 1;
    phase = "open";
    isOnTrial = false;
    untilMs = nowMs() + backoffMs(failures, { random });
  }

  return {
    get isOpen() {
      return phase === "open" || (phase === "trial" && isOnTrial);
    },
    get untilMs() {
      return phase === "open" ? untilMs : 0;
    },
    get backInMs() {
      if (!hasAnswered || sinceMs === undefined || nowMs() - sinceMs >= AWAY_FOR_MS)
        return undefined;
      const leftMs = phase === "open" ? untilMs - nowMs() : 0;
      return Math.min(LOOK_EVERY_MS, Math.max(0, leftMs));
    },
    begun() {
      isOnTrial = phase === "trial";
    },
    answered() {
      phase = "closed";
      failures = 0;
      hasAnswered = true;
      sinceMs = undefined;
      isOnTrial = false;
    },
    failed,
    leftOff() {
      isOnTrial = false;
    },
    takeProbe() {
      if (phase !== "open" || isProbing || nowMs() < untilMs) return false;
      isProbing = true;
      return true;
    },
    probed(isThere) {
      isProbing = false;
      if (phase !== "open") return;
      if (isThere) phase = "trial";
      else failed();
    },
  };
}
