import type { PeerId } from "#protocol/identity";
import { CliError, EXIT } from "../cli/error";
import { command } from "../command";
import { CoordinatorProblem } from "../coordinator/errors";

type Logout = { readonly peer_id: PeerId };

export const logout = command({
  schema: "troop.logout/1",
  flags: {},
  run: async (ctx): Promise<Logout> => {
    const { home, api } = await ctx.coordinator();
    try {
      await api.signOut();
    } catch (cause) {
      const isNobodys = cause instanceof CoordinatorProblem && cause.problem.code === "not_found";
      if (!isNobodys) throw cause;
      throw new CliError(
        EXIT.coordinatorRefused,
        "This machine belongs to no account.",
        "Link it to one with: troop login",
        { cause },
      );
    }
    return { peer_id: home.identity.peerId };
  },
  human: () =>
    'This machine is signed out. Its credits stay with the account; "troop login" links it again.\n',
});
