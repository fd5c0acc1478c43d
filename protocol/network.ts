import { z } from "zod";
import { ModelAliases } from "./model-alias";
import { ModelId } from "./model-offer";
import { NetworkId, NetworkName, UserId } from "./names";

/** What a member may do: an owner everything, `serve-only` lend, `use-only` borrow, a member both. */
export const NetworkRole = z.enum(["owner", "member", "serve-only", "use-only"]);
export type NetworkRole = z.infer<typeof NetworkRole>;

export const NetworkPolicy = z.object({
  /** Whether requests cost credits; where they don't, nothing is held and nobody is paid. */
  credits: z.boolean(),
  /** Whose nodes may serve: of all members whose role allows it, or of owners alone. */
  serve: z.enum(["members", "owners"]),
  /** Nodes of the user who asks come before all others. */
  own_nodes_first: z.boolean(),
  /** Models that may be used; empty: all. */
  allowed_models: z.array(ModelId).max(256),
  /** Other names under which members may use models. */
  aliases: ModelAliases.optional(),
});
export type NetworkPolicy = z.infer<typeof NetworkPolicy>;

export const DEFAULT_POLICY: NetworkPolicy = {
  credits: true,
  serve: "members",
  own_nodes_first: false,
  allowed_models: [],
};

/** What is not given stays as it is. */
export const PolicyChange = NetworkPolicy.partial();
export type PolicyChange = z.infer<typeof PolicyChange>;

export const CreateNetworkRequest = z.object({
  name: NetworkName,
  policy: PolicyChange.optional(),
});
export type CreateNetworkRequest = z.infer<typeof CreateNetworkRequest>;

/** A private network as one of its members sees it. */
export const Network = z.object({
  id: NetworkId,
  name: NetworkName,
  /** The caller's. */
  role: NetworkRole,
  policy: NetworkPolicy,
  members: z.int().positive(),
  created_at: z.iso.datetime(),
});
export type Network = z.infer<typeof Network>;

export const NetworkList = z.object({ networks: z.array(Network) });
export type NetworkList = z.infer<typeof NetworkList>;

/** A network of the peer's user, as far as it has to know in order to use it. */
export const Membership = z.object({ network: NetworkId, name: NetworkName, role: NetworkRole });
export type Membership = z.infer<typeof Membership>;

export const Member = z.object({
  user_id: UserId,
  role: NetworkRole,
  joined_at: z.iso.datetime(),
});
export type Member = z.infer<typeof Member>;

/** In the order in which they joined. */
export const MemberList = z.object({ members: z.array(Member) });
export type MemberList = z.infer<typeof MemberList>;

export const RoleChange = z.object({ role: NetworkRole });
export type RoleChange = z.infer<typeof RoleChange>;

/** The member, or the invite, is there no more. */
export const Removed = z.object({ status: z.literal("removed") });
export type Removed = z.infer<typeof Removed>;

export const MAX_INVITE_USES = 1_000;
export const MAX_INVITE_S = 30 * 24 * 60 * 60;

/** Owners are made by owners, of members they know. */
export const InviteRole = NetworkRole.exclude(["owner"]);
export type InviteRole = z.infer<typeof InviteRole>;

export const InviteRequest = z.object({
  role: InviteRole,
  uses: z.int().positive().max(MAX_INVITE_USES),
  expires_in_seconds: z.int().positive().max(MAX_INVITE_S),
});
export type InviteRequest = z.infer<typeof InviteRequest>;

/** An invite without its code, which only its maker was told. */
export const Invite = z.object({
  id: z.uuid(),
  role: InviteRole,
  uses_left: z.int().positive(),
  expires_at: z.iso.datetime(),
});
export type Invite = z.infer<typeof Invite>;

export const InviteList = z.object({ invites: z.array(Invite) });
export type InviteList = z.infer<typeof InviteList>;

export const InviteCode = z.string().regex(/^[0-9a-z]{26}$/, "must be the code of an invite");

export const NewInvite = Invite.extend({
  /** `code@coordinator`: what a person passes on, and `troop join` takes. */
  invite: z.string(),
});
export type NewInvite = z.infer<typeof NewInvite>;

export const AcceptInviteRequest = z.object({ code: InviteCode });
export type AcceptInviteRequest = z.infer<typeof AcceptInviteRequest>;
