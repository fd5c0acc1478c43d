import { z } from "zod";
import { InviteCode, type Network } from "#protocol/network";
import { command } from "../command";
import { coordinatorApi } from "../coordinator/api";
import { coordinatorBaseUrl } from "../coordinator/base-url";
import { enrol, withEnrolment } from "../home/enrol";

const INVALID = "must be an invite such as CODE@https://troop.example";

/** `code@coordinator`, or the code alone where the coordinator is known. */
const Invite = z.string({ error: INVALID }).transform((text, issues) => {
  const at = text.indexOf("@");
  const code = InviteCode.safeParse(at === -1 ? text : text.slice(0, at));
  const url = at === -1 ? undefined : coordinatorBaseUrl(text.slice(at + 1));
  if (code.success && (at === -1 || url !== undefined)) return { code: code.data, url };
  issues.addIssue(INVALID);
  return z.NEVER;
});

type Joined = Network & { readonly coordinator_url: string };

export const join = command({
  schema: "troop.join/1",
  flags: {
    invite: {
      schema: Invite,
      value: "INVITE",
      positional: true,
      summary: "What `troop network invite` printed",
    },
  },
  run: async (ctx): Promise<Joined> => {
    const { code, url } = ctx.flags.invite;
    const baseUrl = url ?? (await ctx.coordinatorUrl());
    const home = await ctx.home();
    const api = coordinatorApi({ baseUrl, identity: home.identity });
    const network = await withEnrolment(home, api, () => api.acceptInvite({ code }));
    // The enrolment names the networks in which this peer may serve.
    await enrol(home, api, { renew: true });
    return { ...network, coordinator_url: api.baseUrl };
  },
  human: renderJoined,
});

function renderJoined({ name, role }: Joined): string {
  const lend = role === "use-only" ? "" : `Lend in it: troop worker --network ${name}\n`;
  // Whoever chose the name may have chosen one by which public models are called.
  const use =
    role === "serve-only"
      ? ""
      : `Use it:     troop client --network ${name}\n` +
        `From now on models whose names begin with ${name}/ are those of this network, and its nodes read what they are asked.\n`;
  return `You belong to ${name} (${role}).\n${lend}${use}`;
}
