import type { HeartbeatAnswer } from "#protocol/heartbeat";
import { type NetworkId, PUBLIC_NETWORK } from "#protocol/names";
import { CliError, EXIT } from "../../cli/error";
import type { Clock } from "../../clock";
import type { CoordinatorApi } from "../../coordinator/api";
import { enrol } from "../../home/enrol";
import type { Home } from "../../home/home";
import { namedNetworks } from "../../home/named-networks";

/** In which networks this node serves: those it was started for, less those that the coordinator refuses it. */
export type Serving = {
  readonly networks: readonly NetworkId[];
  serves(network: NetworkId): boolean;
  /** What the coordinator said to a heartbeat. */
  heard(answer: HeartbeatAnswer): void;
};

/** Between tries to get back into a network: the coordinator counts registrations. */
const RENEW_EVERY_MS = 10 * 60_000;

/** Throws `CliError` where this node's user may not serve in one of the networks. */
export async function openServing(
  home: Home,
  api: CoordinatorApi,
  options: {
    readonly names: readonly string[] | undefined;
    readonly say: (line: string) => void;
    readonly clock: Clock;
  },
): Promise<Serving> {
  const { clock, say } = options;
  const named = new Set(options.names);
  const names = named.size === 0 ? [PUBLIC_NETWORK] : [...named];
  const networks = await networksOf(home, api, names);
  let refused: ReadonlySet<NetworkId> = new Set();
  let renewedAtMs = -Infinity;

  return {
    networks,
    serves: (network) => networks.includes(network) && !refused.has(network),
    heard({ refused_networks = [] }) {
      const now = new Set(refused_networks);
      const nameOf = (network: NetworkId): string => names[networks.indexOf(network)] ?? network;
      for (const network of now) {
        if (!refused.has(network)) say(`This node may not serve in ${nameOf(network)} any more.`);
      }
      for (const network of refused) {
        if (!now.has(network)) say(`This node serves in ${nameOf(network)} again.`);
      }
      refused = now;
      if (now.size === 0 || clock.steadyMs() - renewedAtMs < RENEW_EVERY_MS) return;
      renewedAtMs = clock.steadyMs();
      // Whoever was let in again has to be enrolled anew; where it fails, a later heartbeat tries again.
      enrol(home, api, { renew: true }).catch(() => undefined);
    },
  };
}

/** Nothing is asked where the public network is all that was named: a node starts while its coordinator is away. */
async function networksOf(
  home: Home,
  api: CoordinatorApi,
  names: readonly string[],
): Promise<readonly NetworkId[]> {
  if (names.every((name) => name === PUBLIC_NETWORK)) return [PUBLIC_NETWORK];
  const { registration, ids } = await namedNetworks(home, api, names, (cached, wanted) =>
    wanted.every((id) => cached.networks.includes(id)),
  );
  const closed = ids.findIndex((id) => !registration.networks.includes(id));
  if (closed === -1) return ids;
  throw new CliError(
    EXIT.usage,
    `You may not lend in the network ${names[closed]}, only use it.`,
    "Ask one of its owners for another role.",
  );
}
