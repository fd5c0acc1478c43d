import { counted } from "#protocol/counted";
import type { HeartbeatAnswer } from "#protocol/heartbeat";
import type { Clock } from "../../clock";
import { CoordinatorProblem, CoordinatorUnreachable } from "../../coordinator/errors";
import { ProofYielded } from "../../hardware/device";
import { NoGpu } from "../../hardware/gpu/gpu-kernel";
import type { Passed } from "../../hardware/prove";
import type { Lending } from "../../lending/lending";
import type { Jobs } from "../line/jobs";

/** Proves this machine's hardware at the moments at which the coordinator asks all nodes to. */
export type HardwareRounds = {
  /** What the coordinator said to a heartbeat. */
  heard(answer: HeartbeatAnswer): void;
  /** Whether a proof runs now: what it does to the machine is our own doing. */
  readonly isRunning: boolean;
  /** Ends what runs, and takes part in no more. */
  stop(): Promise<void>;
};

export type HardwareRoundsOptions = {
  readonly clock: Clock;
  readonly lending: Pick<Lending, "isOpen" | "gpus">;
  readonly jobs: Pick<Jobs, "size">;
  readonly prove: (run: RoundRun) => Promise<Passed>;
  readonly say: (line: string) => void;
};

export type RoundRun = {
  readonly signal: AbortSignal;
  /** Its device is got ready at once, and it begins in so many milliseconds. */
  readonly inMs: number;
  /** A machine with a GPU is not judged by its CPU: without a proof it keeps what it earns. */
  readonly needsGpu: boolean;
};

/** How often it is looked whether somebody needs the machine. */
const LOOK_EVERY_MS = 100;
/** A GPU's driver takes a moment to get ready. */
const PREPARE_MS = 5_000;

export function createHardwareRounds(options: HardwareRoundsOptions): HardwareRounds {
  const { clock, jobs, lending, prove, say } = options;
  let disarm: (() => void) | undefined;
  let running: { readonly controller: AbortController; readonly ended: Promise<void> } | undefined;
  let isStopped = false;

  /** Nobody needs the machine: not its person, and not somebody who is served. */
  const mayRun = (): boolean => lending.isOpen && jobs.size === 0;

  function begin(inMs: number): void {
    disarm = undefined;
    // A round that is missed is no failure; the next one is within hours.
    if (isStopped || running !== undefined || !mayRun()) return;
    const controller = new AbortController();
    const cancelLook = lookUntilDone(controller);
    const ended = run(controller.signal, inMs).finally(() => {
      cancelLook();
      running = undefined;
    });
    running = { controller, ended };
  }

  async function run(signal: AbortSignal, inMs: number): Promise<void> {
    try {
      const needsGpu = lending.gpus.length > 0;
      const { standing } = await prove({ signal, inMs, needsGpu });
      const worth = counted(standing.multiplier, "credit");
      say(`Hardware proven: a second on this machine is worth ${worth}.`);
    } catch (error) {
      if (error instanceof ProofYielded) return;
      say(`The proof of this machine's hardware did not succeed: ${reasonOf(error)}`);
    }
  }

  function lookUntilDone(controller: AbortController): () => void {
    let cancel = (): void => {};
    const look = (): void => {
      if (!mayRun()) return controller.abort();
      cancel = clock.after(LOOK_EVERY_MS, look);
    };
    look();
    return () => cancel();
  }

  return {
    heard({ hardware_round_in_ms: inMs }) {
      if (inMs === undefined || isStopped) return;
      // Each heartbeat before a round tells it anew, the last one best.
      disarm?.();
      const prepareMs = Math.min(inMs, PREPARE_MS);
      disarm = clock.after(inMs - prepareMs, () => begin(prepareMs));
    },
    get isRunning() {
      return running !== undefined;
    },
    async stop() {
      isStopped = true;
      disarm?.();
      running?.controller.abort();
      await running?.ended;
    },
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof NoGpu) return `${error.message}.`;
  const isTold = error instanceof CoordinatorProblem || error instanceof CoordinatorUnreachable;
  return isTold ? error.message : "this machine could not carry it out.";
}
