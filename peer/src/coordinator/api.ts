import {
  Authorization,
  type AuthorizeRequest,
  type ExtendRequest,
  Extension,
} from "#protocol/authorize";
import { ModelList, NodePage } from "#protocol/directory";
import {
  DeviceCode,
  DeviceLink,
  type DeviceRequest,
  type DeviceTokenRequest,
  OwnPeers,
} from "#protocol/device";
import { ENROLMENT_HEADER } from "#protocol/enrolment";
import { type Heartbeat, HeartbeatAnswer } from "#protocol/heartbeat";
import {
  Challenge,
  CommitAnswer,
  type CommitRequest,
  HardwareStanding,
  OpenAnswer,
  type OpenRequest,
} from "#protocol/hardware";
import type { Identity } from "#protocol/identity";
import type { UserId } from "#protocol/names";
import { Jwks, type RegisterRequest, Registration } from "#protocol/register";
import { Balance, Earnings, Transactions } from "#protocol/statement";
import { SubmitAnswer, type SubmitRequest } from "#protocol/submit";
import { z } from "zod";
import { coordinatorBaseUrl } from "./base-url";
import { call, type CallContext } from "./call";
import { Health } from "./health";
import { type NetworkApi, networkApi } from "./network-api";
import { CALL_LIMITS, type CallLimits } from "./limits";

const Nothing = z.undefined();

/**
 * What a peer asks of a coordinator. Each call signs a proof, has a time limit, and throws
 * `CoordinatorProblem` (refused) or `CoordinatorUnreachable` (no answer that can be used).
 */
export type CoordinatorApi = NetworkApi & {
  readonly baseUrl: string;
  health(): Promise<Health>;
  register(body: RegisterRequest): Promise<Registration>;
  heartbeat(body: Heartbeat, enrolment: string): Promise<HeartbeatAnswer>;
  /** Sent once: a second one would hold credits a second time. */
  authorize(body: AuthorizeRequest): Promise<Authorization>;
  /** Sent once, like `authorize`. */
  extend(body: ExtendRequest): Promise<Extension>;
  submit(body: SubmitRequest): Promise<SubmitAnswer>;
  /** What this node's hardware counts for. */
  hardware(): Promise<HardwareStanding>;
  /** Sent once, like all steps of a proof of hardware: a second one would begin another run. */
  challengeHardware(enrolment: string): Promise<Challenge>;
  commitHardware(body: CommitRequest): Promise<CommitAnswer>;
  verifyHardware(body: OpenRequest): Promise<OpenAnswer>;
  jwks(): Promise<Jwks>;
  models(query?: { readonly network?: string }): Promise<ModelList>;
  nodes(query?: NodesQuery): Promise<NodePage>;
  beginLink(body: DeviceRequest): Promise<DeviceCode>;
  /** Refused with `authorization_pending` until the person has decided. */
  askLink(body: DeviceTokenRequest): Promise<DeviceLink>;
  /** Those of the user to whom this peer belongs. */
  ownPeers(): Promise<OwnPeers>;
  /** Takes this peer from its person's account. */
  signOut(): Promise<void>;
  balance(userId: UserId): Promise<Balance>;
  transactions(userId: UserId, query?: PageQuery): Promise<Transactions>;
  earnings(userId: UserId, query?: { readonly days?: number }): Promise<Earnings>;
};

export type PageQuery = {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
};
export type NodesQuery = PageQuery & {
  readonly model?: string | undefined;
  readonly network?: string | undefined;
};

export type CoordinatorApiOptions = {
  /** May carry a path prefix: `https://host/api`. */
  readonly baseUrl: string;
  readonly identity: Identity;
  readonly fetch?: CallContext["fetch"];
  readonly nowMs?: () => number;
  readonly limits?: Partial<CallLimits>;
};

/** Throws where `baseUrl` is none; the command line checks that earlier, with a better message. */
export function coordinatorApi(options: CoordinatorApiOptions): CoordinatorApi {
  const baseUrl = coordinatorBaseUrl(options.baseUrl);
  if (baseUrl === undefined) throw new TypeError("The coordinator's URL is not valid.");
  const limits = { ...CALL_LIMITS, ...options.limits };
  const context: CallContext = {
    baseUrl,
    identity: options.identity,
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    nowMs: options.nowMs ?? Date.now,
    limits,
  };
  const discovery = { limitMs: limits.discoveryMs, isIdempotent: true } as const;
  const credits = { limitMs: limits.creditsMs, isIdempotent: true } as const;
  const holds = { limitMs: limits.creditsMs, isIdempotent: false } as const;

  return {
    baseUrl,
    ...networkApi(context),
    health: () => call(context, { ...discovery, method: "GET", target: "/health", answer: Health }),
    register: (body) =>
      call(context, {
        ...discovery,
        method: "POST",
        target: "/register",
        body,
        answer: Registration,
      }),
    heartbeat: (body, enrolment) =>
      call(context, {
        ...discovery,
        method: "POST",
        target: "/heartbeat",
        body,
        headers: { [ENROLMENT_HEADER]: enrolment },
        answer: HeartbeatAnswer,
      }),
    authorize: (body) =>
      call(context, {
        ...holds,
        method: "POST",
        target: "/authorize",
        body,
        answer: Authorization,
      }),
    extend: (body) =>
      call(context, {
        ...holds,
        method: "POST",
        target: "/authorize/extend",
        body,
        answer: Extension,
      }),
    submit: (body) =>
      call(context, {
        ...credits,
        method: "POST",
        target: "/transactions/submit",
        body,
        answer: SubmitAnswer,
      }),
    hardware: () =>
      call(context, { ...discovery, method: "GET", target: "/hardware", answer: HardwareStanding }),
    challengeHardware: (enrolment) =>
      call(context, {
        ...holds,
        method: "POST",
        target: "/hardware/challenge",
        body: {},
        headers: { [ENROLMENT_HEADER]: enrolment },
        answer: Challenge,
      }),
    commitHardware: (body) =>
      call(context, {
        ...holds,
        method: "POST",
        target: "/hardware/commit",
        body,
        answer: CommitAnswer,
      }),
    verifyHardware: (body) =>
      call(context, {
        ...holds,
        method: "POST",
        target: "/hardware/verify",
        body,
        answer: OpenAnswer,
      }),
    jwks: () =>
      call(context, {
        ...discovery,
        method: "GET",
        target: "/.well-known/jwks.json",
        answer: Jwks,
      }),
    models: (query = {}) =>
      call(context, {
        ...discovery,
        method: "GET",
        target: `/v1/models${queryString(query)}`,
        answer: ModelList,
      }),
    nodes: (query = {}) =>
      call(context, {
        ...discovery,
        method: "GET",
        target: `/nodes${queryString(query)}`,
        answer: NodePage,
      }),
    beginLink: (body) =>
      call(context, {
        ...discovery,
        method: "POST",
        target: "/auth/device",
        body,
        answer: DeviceCode,
      }),
    askLink: (body) =>
      call(context, {
        ...discovery,
        method: "POST",
        target: "/auth/device/token",
        body,
        answer: DeviceLink,
      }),
    ownPeers: () =>
      call(context, { ...discovery, method: "GET", target: "/auth/peers", answer: OwnPeers }),
    signOut: () =>
      call(context, {
        limitMs: limits.discoveryMs,
        isIdempotent: false,
        method: "POST",
        target: `/auth/peers/${options.identity.peerId}/revoke`,
        answer: Nothing,
      }),
    balance: (userId) =>
      call(context, {
        ...credits,
        method: "GET",
        target: `/users/${userId}/balance`,
        answer: Balance,
      }),
    transactions: (userId, query = {}) =>
      call(context, {
        ...credits,
        method: "GET",
        target: `/users/${userId}/transactions${queryString(query)}`,
        answer: Transactions,
      }),
    earnings: (userId, query = {}) =>
      call(context, {
        ...credits,
        method: "GET",
        target: `/users/${userId}/earnings${queryString(query)}`,
        answer: Earnings,
      }),
  };
}

function queryString(query: Readonly<Record<string, string | number | undefined>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? "" : `?${parameters}`;
}
