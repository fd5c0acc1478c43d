import type { OwnPeers } from "#protocol/device";
import type { PeerId } from "#protocol/identity";
import { table } from "../cli/columns";
import { command } from "../command";
import { withEnrolment } from "../home/enrol";

type Peers = OwnPeers & { readonly peer_id: PeerId };

export const peers = command({
  schema: "troop.peers/1",
  flags: {},
  run: async (ctx): Promise<Peers> => {
    const { home, api } = await ctx.coordinator();
    const { peers: own } = await withEnrolment(home, api, () => api.ownPeers());
    return { peer_id: home.identity.peerId, peers: own };
  },
  human: renderPeers,
});

function renderPeers({ peer_id: thisPeer, peers: own }: Peers): string {
  const rows = own.map(({ peer_id: id, name, last_used_at: usedAt, live }) => [
    name ?? "-",
    id === thisPeer ? `${id} (this one)` : id,
    usedAt,
    live ? "yes" : "no",
  ]);
  return table(["NAME", "PEER", "LAST USED (UTC)", "LENDS NOW"], rows);
}
