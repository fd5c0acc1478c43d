import type { ControlAddress } from "../control/address";
import { controlAddress } from "../control/address";
import type { Env, Platform } from "../platform/platform";
import { type Machine, thisMachine } from "../probes/machine";
import type { Probe } from "../probes/probe";
import { type Policy, type PolicyFile, policyOf } from "./policy";
import { programName } from "./programs";

/** All that a worker needs to know when to lend. */
export type LendingSetup = {
  readonly policy: Policy;
  readonly probes: readonly Probe[];
  readonly machine: Machine;
  /** Told when this machine goes to sleep, which waits for the result, and when it is awake again. Returns how to end it. */
  readonly watchSleep: (onChange: (isAsleep: boolean) => Promise<void>) => () => void;
  readonly localTimeZone: string;
  /** Where its owner's commands reach it. */
  readonly control: ControlAddress;
};

export function lendingSetup(
  file: PolicyFile,
  { platform, env, homeDir }: { platform: Platform; env: Env; homeDir: string },
): LendingSetup {
  const localTimeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const machine = thisMachine(env);
  return {
    policy: withoutOwnProgram(policyOf(file, localTimeZone)),
    probes: platform.probes(),
    machine,
    watchSleep: (onChange) => platform.watchSleep?.(machine, onChange) ?? (() => {}),
    localTimeZone,
    control: controlAddress(homeDir, platform),
  };
}

/** The process that proves a GPU is this program, and nobody else's use of it. */
function withoutOwnProgram(policy: Policy): Policy {
  const own = programName(process.execPath).toLowerCase();
  return { ...policy, ignoredProcesses: [...policy.ignoredProcesses, own] };
}
