import {
  AcceptInviteRequest,
  CreateNetworkRequest,
  DEFAULT_POLICY,
  InviteRequest,
  InviteList,
  MAX_INVITE_S,
  MAX_INVITE_USES,
  MemberList,
  Membership,
  Network,
  NewInvite,
} from "#protocol/network";
import { boundsOf } from "./schema-bounds";

const network = {
  id: "net-0123456789abcdefghjkmnpqrs",
  name: "team",
  role: "owner",
  policy: { ...DEFAULT_POLICY, allowed_models: ["org/model:tag"] },
  members: 1,
  created_at: "2030-01-01T00:00:00.000Z",
};

boundsOf("Network", Network, network, {
  integers: { members: { min: 1, max: Number.MAX_SAFE_INTEGER } },
  lists: { "policy.allowed_models": { min: 0, max: 256 } },
  plain: ["name", "policy.allowed_models.0"],
  refuses: [
    ["a role that there is not", "role", "boss"],
    ["the public network", "name", "public"],
    ["a moment that is none", "created_at", "today"],
    ["credits that are no switch", "policy.credits", "off"],
    ["others who serve", "policy.serve", "anybody"],
  ],
});

boundsOf(
  "CreateNetworkRequest",
  CreateNetworkRequest,
  { name: "team", policy: { credits: false } },
  { optional: ["policy"], refuses: [["a name with a slash", "name", "a/b"]] },
);

boundsOf(
  "MemberList",
  MemberList,
  {
    members: [
      {
        user_id: "usr_0123456789abcdefghjkmnpqrs",
        role: "serve-only",
        joined_at: "2030-01-01T00:00:00.000Z",
      },
    ],
  },
  { refuses: [["a member without a role", "members", [{ user_id: "usr_1" }]]] },
);

boundsOf("InviteList", InviteList, { invites: [] }, {});

boundsOf("Membership", Membership, { network: network.id, name: "team", role: "use-only" }, {});

boundsOf(
  "InviteRequest",
  InviteRequest,
  { role: "member", uses: 1, expires_in_seconds: 60 },
  {
    integers: {
      uses: { min: 1, max: MAX_INVITE_USES },
      expires_in_seconds: { min: 1, max: MAX_INVITE_S },
    },
    refuses: [["an invite for owners", "role", "owner"]],
  },
);

boundsOf(
  "AcceptInviteRequest",
  AcceptInviteRequest,
  { code: "0123456789abcdefghjkmnpqrs" },
  {
    refuses: [
      ["a code of 25 characters", "code", "0".repeat(25)],
      ["a code with its coordinator", "code", `${"0".repeat(26)}@https://troop.example`],
    ],
  },
);

boundsOf(
  "NewInvite",
  NewInvite,
  {
    id: "0190b0a0-0000-7000-8000-000000000000",
    role: "member",
    uses_left: 1,
    expires_at: "2030-01-01T00:00:00.000Z",
    invite: `${"0".repeat(26)}@https://troop.example`,
  },
  { integers: { uses_left: { min: 1, max: Number.MAX_SAFE_INTEGER } } },
);
