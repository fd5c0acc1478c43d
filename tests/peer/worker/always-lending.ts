import type { Home } from "#peer/home/home";
import { controlAddress } from "#peer/control/address";
import { policyOf } from "#peer/lending/policy";
import type { LendingSetup } from "#peer/lending/setup";
import { linux } from "#peer/platform/linux";
import { thisMachine } from "#peer/probes/machine";

/** For tests that are not about idleness: whatever the machine does, the worker lends. */
export function alwaysLending(home: Pick<Home, "dir">): LendingSetup {
  return {
    policy: policyOf({ policy: "always" }, "UTC"),
    probes: [],
    machine: thisMachine({}),
    watchSleep: () => () => {},
    localTimeZone: "UTC",
    control: controlAddress(home.dir, linux),
  };
}
