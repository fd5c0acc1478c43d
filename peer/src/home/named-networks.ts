import type { NetworkId } from "#protocol/names";
import type { Registration } from "#protocol/register";
import { CliError, EXIT } from "../cli/error";
import type { CoordinatorApi } from "../coordinator/api";
import { enrol } from "./enrol";
import { findNetwork, type NetworkNotFound } from "./find-network";
import type { Home } from "./home";

/**
 * The ids of networks that a person named, by this peer's registration; it is renewed where it knows one of them not or
 * `isGood` finds that it lacks something. Throws `CliError` where a name is none.
 */
export async function namedNetworks(
  home: Home,
  api: CoordinatorApi,
  names: readonly string[],
  isGood: (registration: Registration, ids: readonly NetworkId[]) => boolean = () => true,
): Promise<{ readonly registration: Registration; readonly ids: readonly NetworkId[] }> {
  const cached = await enrol(home, api);
  const known = names.map((name) => findNetwork(cached.memberships, name));
  const ids = known.flatMap((found) => (found.ok ? [found.value] : []));
  if (ids.length === names.length && isGood(cached, ids)) return { registration: cached, ids };
  const registration = await enrol(home, api, { renew: true });
  const found = names.map((name) => {
    const network = findNetwork(registration.memberships, name);
    if (network.ok) return network.value;
    throw notFound(name, network);
  });
  return { registration, ids: found };
}

export function notFound(name: string, refusal: NetworkNotFound): CliError {
  if (refusal.reason === "ambiguous") {
    const ids = refusal.ids.join(", ");
    return new CliError(
      EXIT.usage,
      `You belong to several networks called ${name}.`,
      `Name one by its id: ${ids}`,
    );
  }
  return new CliError(
    EXIT.usage,
    "You belong to no such network.",
    "Run: troop network list; or join one: troop join INVITE",
  );
}
