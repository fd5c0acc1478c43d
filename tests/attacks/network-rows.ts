import { asPeer, type Call } from "./peer-call";
import type { World } from "./network-world";
import type { Target } from "./target";

const HIDDEN = "404 not_found";
const FORBIDDEN = "403 forbidden";
const INVALID = "400 request_invalid";
const LAST = "409 last_owner";

type Asked = readonly [path: string, call?: Call];

/** What can be asked about a network, of a route. */
export const QUESTIONS: readonly (readonly [
  what: string,
  route: string,
  ask: (w: World) => Asked,
])[] = [
  ["the members", "GET /networks/:id/members", (w) => [`/networks/${w.id}/members`]],
  ["the invites", "GET /networks/:id/invites", (w) => [`/networks/${w.id}/invites`]],
  ["the nodes", "GET /nodes", (w) => [`/nodes?network=${w.id}`]],
  ["the nodes by their older name", "GET /peers", (w) => [`/peers?network=${w.id}`]],
  ["the models", "GET /v1/models", (w) => [`/v1/models?network=${w.id}`]],
  [
    "a ticket",
    "POST /authorize",
    (w) => ["/authorize", { body: { model: "allowed/model", network: w.id } }],
  ],
  [
    "a ticket for what is not there",
    "POST /authorize",
    (w) => ["/authorize", { body: { model: "not/there", network: w.id } }],
  ],
  [
    "an invite",
    "POST /networks/:id/invites",
    (w) => [
      `/networks/${w.id}/invites`,
      { body: { role: "member", uses: 1, expires_in_seconds: 60 } },
    ],
  ],
  [
    "an invite's end",
    "DELETE /networks/:id/invites/:id",
    (w) => [`/networks/${w.id}/invites/${w.openInvite.id}`, { method: "DELETE" }],
  ],
  [
    "an owner's end",
    "DELETE /networks/:id/members/:id",
    (w) => [`/networks/${w.id}/members/${w.owner.user}`, { method: "DELETE" }],
  ],
  [
    "to be no owner",
    "PATCH /networks/:id/members/:id",
    (w) => [
      `/networks/${w.id}/members/${w.owner.user}`,
      { method: "PATCH", body: { role: "use-only" } },
    ],
  ],
  [
    "to be free",
    "PATCH /networks/:id",
    (w) => [`/networks/${w.id}`, { method: "PATCH", body: { credits: false } }],
  ],
];

export type Row = readonly [
  tries: string,
  route: string,
  refusal: string,
  run: (t: Target, w: World) => Promise<Response>,
];

export const by =
  (
    peer: keyof World & ("owner" | "stranger" | "removed" | "member" | "lender" | "borrower"),
    asked: (w: World) => Asked,
  ) =>
  (t: Target, w: World): Promise<Response> =>
    asPeer(t, w[peer].key, ...asked(w));

const role =
  (to: string, of: keyof World & ("owner" | "member" | "stranger" | "borrower")) =>
  (w: World): Asked => [
    `/networks/${w.id}/members/${w[of].user}`,
    { method: "PATCH", body: { role: to } },
  ];
const leave =
  (of: "owner" | "member" | "stranger") =>
  (w: World): Asked => [`/networks/${w.id}/members/${w[of].user}`, { method: "DELETE" }];
const invites =
  (body: object) =>
  (w: World): Asked => [
    `/networks/${w.id}/invites`,
    { body: { role: "member", uses: 1, expires_in_seconds: 60, ...body } },
  ];
const policy =
  (body: object) =>
  (w: World): Asked => [`/networks/${w.id}`, { method: "PATCH", body }];

const INVITES = "POST /networks/:id/invites";
const MEMBERS = "PATCH /networks/:id/members/:id";
const POLICY = "PATCH /networks/:id";
const AUTHORIZE = "POST /authorize";

export const ROLES: readonly Row[] = [
  ["a member that invites", INVITES, FORBIDDEN, by("member", invites({}))],
  ["a borrower that invites", INVITES, FORBIDDEN, by("borrower", invites({}))],
  ["a lender that invites", INVITES, FORBIDDEN, by("lender", invites({}))],
  [
    "a member that looks at invites",
    "GET /networks/:id/invites",
    FORBIDDEN,
    by("member", (w) => [`/networks/${w.id}/invites`]),
  ],
  [
    "a member that takes an invite back",
    "DELETE /networks/:id/invites/:id",
    FORBIDDEN,
    by("member", (w) => [`/networks/${w.id}/invites/${w.openInvite.id}`, { method: "DELETE" }]),
  ],
  [
    "a member that makes itself an owner",
    MEMBERS,
    FORBIDDEN,
    by("member", role("owner", "member")),
  ],
  [
    "a borrower that makes itself a member",
    MEMBERS,
    FORBIDDEN,
    by("borrower", role("member", "borrower")),
  ],
  [
    "a member that makes an owner a borrower",
    MEMBERS,
    FORBIDDEN,
    by("member", role("use-only", "owner")),
  ],
  [
    "a member that takes an owner out",
    "DELETE /networks/:id/members/:id",
    FORBIDDEN,
    by("member", leave("owner")),
  ],
  [
    "a borrower that takes a member out",
    "DELETE /networks/:id/members/:id",
    FORBIDDEN,
    by("borrower", leave("member")),
  ],
  [
    "a member that changes the policy",
    POLICY,
    FORBIDDEN,
    by("member", policy({ serve: "owners" })),
  ],
  [
    "a member that allows itself a model",
    POLICY,
    FORBIDDEN,
    by("member", policy({ allowed_models: [] })),
  ],
  [
    "a lender that borrows",
    AUTHORIZE,
    FORBIDDEN,
    by("lender", (w) => ["/authorize", { body: { model: "allowed/model", network: w.id } }]),
  ],
  [
    "a model that the policy does not allow",
    AUTHORIZE,
    "404 model_unavailable",
    by("member", (w) => ["/authorize", { body: { model: "another/model", network: w.id } }]),
  ],
  [
    "an allowed model in other letters",
    AUTHORIZE,
    "404 model_unavailable",
    by("member", (w) => ["/authorize", { body: { model: "Allowed/Model", network: w.id } }]),
  ],
  [
    "a network by its name in place of its id",
    AUTHORIZE,
    HIDDEN,
    by("member", (w) => ["/authorize", { body: { model: "allowed/model", network: w.name } }]),
  ],
  [
    "a network in other letters",
    AUTHORIZE,
    INVALID,
    by("member", (w) => [
      "/authorize",
      { body: { model: "allowed/model", network: w.id.toUpperCase() } },
    ]),
  ],
  [
    "a list of networks",
    AUTHORIZE,
    INVALID,
    by("member", (w) => [
      "/authorize",
      { body: { model: "allowed/model", network: ["public", w.id] } },
    ]),
  ],
  [
    "an own network beside another's",
    "GET /nodes",
    INVALID,
    by("stranger", (w) => [`/nodes?network=public&network=${w.id}`]),
  ],
  [
    "an owner that leaves a network to nobody",
    "DELETE /networks/:id/members/:id",
    LAST,
    by("owner", leave("owner")),
  ],
  [
    "an owner that leaves a network without one",
    MEMBERS,
    LAST,
    by("owner", role("member", "owner")),
  ],
  [
    "an owner that makes a stranger an owner",
    MEMBERS,
    HIDDEN,
    by("owner", role("owner", "stranger")),
  ],
  ["a role that there is none of", MEMBERS, INVALID, by("owner", role("admin", "member"))],
  ["an invite that makes owners", INVITES, INVALID, by("owner", invites({ role: "owner" }))],
  ["an invite that is good for nothing", INVITES, INVALID, by("owner", invites({ uses: 0 }))],
  ["an invite for all the world", INVITES, INVALID, by("owner", invites({ uses: 1_000_000 }))],
  ["an invite that is over", INVITES, INVALID, by("owner", invites({ expires_in_seconds: -1 }))],
  [
    "an invite without an end",
    INVITES,
    INVALID,
    by("owner", invites({ expires_in_seconds: 1e12 })),
  ],
  ["an invite of half a use", INVITES, INVALID, by("owner", invites({ uses: 0.5 }))],
  [
    "a policy by which all the world serves",
    POLICY,
    INVALID,
    by("owner", policy({ serve: "everybody" })),
  ],
  ["a policy that is no yes and no no", POLICY, INVALID, by("owner", policy({ credits: "no" }))],
  [
    "a policy of too many models",
    POLICY,
    INVALID,
    by("owner", policy({ allowed_models: Array.from({ length: 300 }, (_, at) => `m${at}`) })),
  ],
];
