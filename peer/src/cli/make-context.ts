import { type CoordinatorApi, coordinatorApi } from "../coordinator/api";
import { coordinatorBaseUrl } from "../coordinator/base-url";
import type { Home } from "../home/home";
import { openHome } from "../home/open-home";
import { readSettings } from "../home/settings";
import { troopHome } from "../home/troop-home";
import type { CommandContext, Terminal } from "./context";
import { CliError, EXIT } from "./error";

type Globals = { readonly coordinator: string | undefined; readonly home: string | undefined };

/** `globals` hold flag and environment already; files come last here. */
export function makeContext<Flags extends Globals>(
  terminal: Terminal,
  flags: Flags,
  emit: (data: object) => Promise<void>,
): CommandContext<Flags, object> {
  const { env, platform } = terminal;
  const homeDir = troopHome({ ...env, TROOP_HOME: flags.home }, platform);
  const say = (line: string) => terminal.writeErr(`${line}\n`);

  let opened: Promise<Home> | undefined;
  const home = () => (opened ??= openHome(homeDir, { warn: say, platform }));

  async function configuredCoordinator(): Promise<string | undefined> {
    if (flags.coordinator !== undefined) return flags.coordinator;
    const { coordinator_url: remembered } = await readSettings(homeDir);
    return remembered === undefined ? undefined : coordinatorBaseUrl(remembered);
  }

  async function coordinatorUrl(): Promise<string> {
    const url = await configuredCoordinator();
    if (url !== undefined) return url;
    throw new CliError(
      EXIT.usage,
      "No coordinator is known yet.",
      "Add --coordinator URL, or set COORDINATOR_URL; troop remembers it from then on.",
    );
  }

  async function coordinator(): Promise<{ home: Home; api: CoordinatorApi }> {
    const baseUrl = await coordinatorUrl();
    const own = await home();
    return { home: own, api: coordinatorApi({ baseUrl, identity: own.identity }) };
  }

  return {
    flags,
    env,
    platform,
    networkInterfaces: terminal.networkInterfaces,
    stopSignal: terminal.stopSignal,
    say,
    emit,
    homeDir,
    home,
    configuredCoordinator,
    coordinatorUrl,
    coordinator,
  };
}
