import { isRange, TAILSCALE_RANGES } from "#protocol/address-ranges";
import { PrivateKey } from "#protocol/identity";
import { MICROCREDITS_PER_CREDIT } from "#protocol/microcredits";
import { ModelAliases, parseAlias } from "#protocol/model-alias";
import { z } from "zod";
import type { AddressShown } from "./domain/address-subject";

/** A base URL as it goes into proofs: no trailing slash, query or fragment. */
const BaseUrl = z
  .url({ protocol: /^https?$/ })
  .transform((url) => url.replace(/\/+$/, ""))
  .refine((url) => !url.includes("?") && !url.includes("#"), "must have no query or fragment");

const list = (text: string) => text.split(",").map((part) => part.trim());

export const SigningKey = PrivateKey.extend({ kid: z.string().min(1).max(128) });
export type SigningKey = z.infer<typeof SigningKey>;

const SigningKeys = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue("must be JSON");
      return z.NEVER;
    }
  })
  .pipe(z.array(SigningKey).min(1).max(8));

const CountPerHour = z.coerce.number().int().positive();

const JoinPolicy = z.enum(["open", "invite", "closed"]);

/** What an operator sets: plain values in wrangler.toml, secrets by `wrangler secret put`. */
const Settings = z.object({
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//, "must be a postgres:// URL"),
  /** Where Neon's HTTP protocol is spoken, when not by Neon itself (self-hosting). */
  DATABASE_FETCH_ENDPOINT: z.url().optional(),
  UPSTASH_REDIS_REST_URL: z.url(),
  UPSTASH_REDIS_REST_TOKEN: z.string().min(1),
  /** Ed25519 private keys (JWK with `kid`), the one that signs first. */
  SIGNING_KEYS: SigningKeys,
  /** The URL that peers are given; its path is a prefix of every route. */
  PUBLIC_URL: BaseUrl,
  /** Other URLs that reach this coordinator, with commas between them. */
  PUBLIC_URL_ALIASES: z.string().transform(list).pipe(z.array(BaseUrl)).optional(),
  /** CIDR ranges, with commas between them, in which nodes may be dialled. */
  ALLOWED_RANGES: z
    .string()
    .transform(list)
    .pipe(z.array(z.string().refine(isRange, "must be a CIDR range")).min(1))
    .default([...TAILSCALE_RANGES]),
  /** Whole credits that a new user starts with. */
  STARTER_CREDITS: z.coerce.number().int().nonnegative().max(1_000_000).default(3_600),
  /** Whether they come with the first proof of hardware of one of the user's machines, and not at once. */
  STARTER_NEEDS_HARDWARE: z.stringbool().default(false),
  /** Who may become a user: anybody, people whom the operator invites, nobody. */
  JOIN_POLICY: JoinPolicy.default("open"),
  REGISTRATIONS_PER_HOUR: CountPerHour.default(20),
  /** Days that audit events are kept. */
  AUDIT_RETENTION_DAYS: z.coerce.number().int().positive().max(3_650).default(90),
  /** Other names of models in the public network: `NAME=MODEL`, with commas between them. */
  MODEL_ALIASES: z
    .string()
    .transform((text, context) => {
      const pairs = list(text).filter(Boolean).map(parseAlias);
      if (pairs.every((pair) => pair !== undefined)) return Object.fromEntries(pairs);
      context.addIssue("must be NAME=MODEL, with commas between them");
      return z.NEVER;
    })
    .pipe(ModelAliases)
    .default({}),
  /** What audit events keep of the address that a request came from. */
  AUDIT_ADDRESSES: z.enum(["none", "network", "full"]).default("none"),
  /** Opens what lies under /admin to the operator; without one there is nothing there. */
  ADMIN_PASSWORD: z.string().min(16, "must have 16 characters or more").max(256).optional(),
});

/** Names of what an operator sets; the rest, stores and keys, a self-hosted coordinator has from its host. */
export const OPERATOR_SETTINGS: readonly string[] = Object.keys(
  Settings.omit({
    DATABASE_URL: true,
    DATABASE_FETCH_ENDPOINT: true,
    UPSTASH_REDIS_REST_URL: true,
    UPSTASH_REDIS_REST_TOKEN: true,
    SIGNING_KEYS: true,
  }).shape,
);

export type Config = {
  readonly databaseUrl: string;
  readonly databaseFetchEndpoint: string | undefined;
  readonly redisUrl: string;
  readonly redisToken: string;
  readonly signingKeys: readonly [SigningKey, ...SigningKey[]];
  readonly publicUrl: string;
  /** Every URL that a proof may name as its audience. */
  readonly audiences: readonly string[];
  readonly allowedRanges: readonly string[];
  readonly starterMicrocredits: number;
  readonly starterNeedsHardware: boolean;
  readonly joinPolicy: z.infer<typeof JoinPolicy>;
  readonly registrationsPerHour: number;
  readonly auditRetentionDays: number;
  readonly auditAddresses: AddressShown;
  readonly modelAliases: ModelAliases;
  readonly adminPassword: string | undefined;
};

/** An operator's mistake; names the settings, never their values. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

export function parseConfig(env: object): Config {
  const parsed = Settings.safeParse(env);
  if (!parsed.success) {
    const keys = parsed.error.issues.map(
      (issue) => `${issue.path[0]?.toString()}: ${issue.message}`,
    );
    throw new ConfigError(`Settings are missing or wrong: ${keys.join("; ")}`);
  }
  const set = parsed.data;
  const [active, ...older] = set.SIGNING_KEYS;
  if (active === undefined) throw new ConfigError("SIGNING_KEYS: must hold a key");
  return {
    databaseUrl: set.DATABASE_URL,
    databaseFetchEndpoint: set.DATABASE_FETCH_ENDPOINT,
    redisUrl: set.UPSTASH_REDIS_REST_URL,
    redisToken: set.UPSTASH_REDIS_REST_TOKEN,
    signingKeys: [active, ...older],
    publicUrl: set.PUBLIC_URL,
    audiences: [set.PUBLIC_URL, ...(set.PUBLIC_URL_ALIASES ?? [])],
    allowedRanges: set.ALLOWED_RANGES,
    starterMicrocredits: set.STARTER_CREDITS * MICROCREDITS_PER_CREDIT,
    starterNeedsHardware: set.STARTER_NEEDS_HARDWARE,
    modelAliases: set.MODEL_ALIASES,
    joinPolicy: set.JOIN_POLICY,
    registrationsPerHour: set.REGISTRATIONS_PER_HOUR,
    auditRetentionDays: set.AUDIT_RETENTION_DAYS,
    auditAddresses: set.AUDIT_ADDRESSES,
    adminPassword: set.ADMIN_PASSWORD,
  };
}
