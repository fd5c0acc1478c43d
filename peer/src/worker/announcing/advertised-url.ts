import { NodeUrl } from "#protocol/heartbeat";
import { CliError, EXIT } from "../../cli/error";

type Address = { readonly host: string; readonly port: number };

const WILDCARDS: ReadonlySet<string> = new Set(["0.0.0.0", "::", "[::]"]);

export function urlOf({ host, port }: Address): string {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  return new URL(`http://${bare.includes(":") ? `[${bare}]` : bare}:${port}`).origin;
}

/** The URL that clients dial. Throws `CliError` where the address that a worker listens on is none for them. */
export function advertisedUrl(listen: Address, advertise: string | undefined): string {
  if (advertise !== undefined) return advertise;
  const url = urlOf(listen);
  if (!WILDCARDS.has(listen.host) && NodeUrl.safeParse(url).success) return url;
  throw new CliError(
    EXIT.usage,
    `Clients cannot dial ${listen.host}: it is no address of one machine.`,
    "Name the address at which they reach this one: --advertise http://ADDRESS:PORT",
  );
}
