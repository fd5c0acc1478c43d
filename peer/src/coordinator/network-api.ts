import type { NetworkId, UserId } from "#protocol/names";
import {
  type AcceptInviteRequest,
  type CreateNetworkRequest,
  InviteList,
  type InviteRequest,
  MemberList,
  Network,
  NetworkList,
  NewInvite,
  type PolicyChange,
  Removed,
  RoleChange,
} from "#protocol/network";
import { type Call, call, type CallContext } from "./call";

/** What a peer asks about the private networks that its user belongs to. */
export type NetworkApi = {
  networks(): Promise<NetworkList>;
  createNetwork(body: CreateNetworkRequest): Promise<Network>;
  /** Sent once: each makes an invite of its own. */
  createInvite(network: NetworkId, body: InviteRequest): Promise<NewInvite>;
  invites(network: NetworkId): Promise<InviteList>;
  revokeInvite(network: NetworkId, invite: string): Promise<Removed>;
  acceptInvite(body: AcceptInviteRequest): Promise<Network>;
  members(network: NetworkId): Promise<MemberList>;
  /** Another one, by an owner; or the caller's own, who leaves. */
  removeMember(network: NetworkId, user: UserId): Promise<Removed>;
  changeRole(network: NetworkId, user: UserId, body: RoleChange): Promise<RoleChange>;
  changePolicy(network: NetworkId, body: PolicyChange): Promise<Network>;
};

export function networkApi(context: CallContext): NetworkApi {
  const limitMs = context.limits.discoveryMs;
  const again = { limitMs, isIdempotent: true } as const;
  const once = { limitMs, isIdempotent: false } as const;

  return {
    networks: () =>
      call(context, { ...again, method: "GET", target: "/networks", answer: NetworkList }),
    createNetwork: (body) =>
      call(context, { ...once, method: "POST", target: "/networks", body, answer: Network }),
    createInvite: (network, body) =>
      call(context, {
        ...once,
        method: "POST",
        target: `/networks/${network}/invites`,
        body,
        answer: NewInvite,
      }),
    invites: (network) =>
      call(context, { ...again, ...at("GET", `/networks/${network}/invites`), answer: InviteList }),
    revokeInvite: (network, invite) =>
      call(context, {
        ...again,
        ...at("DELETE", `/networks/${network}/invites/${encodeURIComponent(invite)}`),
        answer: Removed,
      }),
    members: (network) =>
      call(context, { ...again, ...at("GET", `/networks/${network}/members`), answer: MemberList }),
    removeMember: (network, user) =>
      call(context, { ...again, ...at("DELETE", memberPath(network, user)), answer: Removed }),
    changeRole: (network, user, body) =>
      call(context, {
        ...again,
        ...at("PATCH", memberPath(network, user)),
        body,
        answer: RoleChange,
      }),
    changePolicy: (network, body) =>
      call(context, { ...again, ...at("PATCH", `/networks/${network}`), body, answer: Network }),
    acceptInvite: (body) =>
      call(context, {
        ...again,
        method: "POST",
        target: "/invites/accept",
        body,
        answer: Network,
      }),
  };
}

function at(method: Call<never>["method"], target: string): Pick<Call<never>, "method" | "target"> {
  return { method, target };
}

function memberPath(network: NetworkId, user: UserId): string {
  return `/networks/${network}/members/${user}`;
}
