import { hostname } from "node:os";
import { type DeviceCode, type DeviceLink, DeviceRequest } from "#protocol/device";
import type { PeerId } from "#protocol/identity";
import { CliError, EXIT } from "../cli/error";
import { command } from "../command";
import type { CoordinatorApi } from "../coordinator/api";
import { CoordinatorProblem, CoordinatorUnreachable } from "../coordinator/errors";
import { printable } from "../coordinator/printable";
import { enrol } from "../home/enrol";

/** Milliseconds that the wait between two questions grows by where the coordinator asks for it; RFC 8628 says so. */
const SLOWER_BY_MS = 5_000;

type Login = DeviceLink & { readonly peer_id: PeerId };

export const login = command({
  schema: "troop.login/1",
  flags: {
    name: {
      schema: DeviceRequest.shape.name,
      value: "NAME",
      summary: "What to call this machine in your account (default: its host name)",
    },
  },
  run: async (ctx): Promise<Login> => {
    const { home, api } = await ctx.coordinator();
    const name = ctx.flags.name ?? DeviceRequest.shape.name.safeParse(hostname()).data;
    const code = await api.beginLink(name === undefined ? {} : { name });
    ctx.say(
      `Open ${printable(code.verification_uri_complete)}\n` +
        `and check that it shows the code ${printable(code.user_code)}. Waiting …`,
    );
    const link = await untilDecided(api, code);
    // With the certificate of the account's user.
    await enrol(home, api, { renew: true });
    return { ...link, peer_id: home.identity.peerId };
  },
  human: ({ email }) => `This machine belongs to ${printable(email)} now.\n`,
});

async function untilDecided(api: CoordinatorApi, code: DeviceCode): Promise<DeviceLink> {
  const endsAtMs = performance.now() + code.expires_in * 1_000;
  let waitMs = code.interval * 1_000;
  while (performance.now() < endsAtMs) {
    await Bun.sleep(waitMs);
    try {
      return await api.askLink({ device_code: code.device_code });
    } catch (error) {
      if (error instanceof CoordinatorUnreachable) continue; // The code outlives a short absence.
      if (!(error instanceof CoordinatorProblem)) throw error;
      switch (error.problem.code) {
        case "authorization_pending":
          break;
        case "slow_down":
        case "rate_limited":
          waitMs += SLOWER_BY_MS;
          break;
        case "access_denied":
          throw new CliError(EXIT.coordinatorRefused, "The answer on the page was no.", AGAIN);
        case "expired_token":
          throw tooLate();
        default:
          throw error;
      }
    }
  }
  throw tooLate();
}

const AGAIN = "Start again with: troop login";

function tooLate(): CliError {
  return new CliError(EXIT.coordinatorRefused, "Nobody entered the code in time.", AGAIN);
}
