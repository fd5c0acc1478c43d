import type { UserId } from "#protocol/names";
import type { Registration } from "#protocol/register";
import type { CoordinatorApi } from "../../coordinator/api";
import { enrol } from "../../home/enrol";
import type { Home } from "../../home/home";
import type { Clock } from "../../clock";
import { type CoordinatorKeys, createCoordinatorKeys } from "./coordinator-keys";

/** What this node knows of its coordinator; nothing until it was enrolled once. */
export type Membership = {
  readonly adopt: (registration: Registration) => void;
  readonly known: () => Registration | undefined;
  /** `iss` of the coordinator's tickets. */
  readonly issuer: () => string | undefined;
  /** The user to whom this node belongs. */
  readonly owner: () => UserId | undefined;
  readonly keys: CoordinatorKeys;
};

export function createMembership(home: Home, api: CoordinatorApi, clock: Clock): Membership {
  let current: Registration | undefined;
  const keys = createCoordinatorKeys({
    nowMs: clock.steadyMs,
    async fetchJwks() {
      const jwks = await api.jwks();
      // Keeps them in the home, too, so that a restart finds them while the coordinator is away.
      enrol(home, api, { jwks }).then(adopt, () => undefined);
      return jwks;
    },
  });

  function adopt(registration: Registration): void {
    const known = JSON.stringify(current?.jwks);
    current = registration;
    // The home's copy, read with every heartbeat, must not undo what the coordinator published since.
    if (JSON.stringify(registration.jwks) !== known) keys.adopt(registration.jwks);
  }

  return {
    adopt,
    known: () => current,
    issuer: () => current?.issuer,
    owner: () => current?.user_id,
    keys,
  };
}
