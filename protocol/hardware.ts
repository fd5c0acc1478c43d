import { z } from "zod";
import { SIZE } from "./poh/matrix";
import { PAGE_BYTES, ROWS_PER_PAGE } from "./poh/page-digest";
import { HASH_BYTES } from "./poh/merkle";
import { DIGEST_BYTES } from "./poh/row-digest";

/** Of the computation and of the constants that make a multiplier of it; both change together. */
export const HARDWARE_VERSION = 1;

/** Rows of C, or pages, whose digests make one leaf of a tree. */
export const DIGESTS_PER_LEAF = 64;
export const OPENED_ROWS = 64;
export const OPENED_PAGES = 24;
/** Fewer rows are no measurement. */
export const MIN_ROWS = 1_024;
export const MAX_ROWS = 2 ** 26;
export const MAX_PASSES = 4_096;
/** A table of fewer rows (256 MiB) may lie in a cache, and counts for its share only. */
export const FULL_TABLE_ROWS = 262_144;
/** A shorter run could be a burst; milliseconds. */
export const MIN_COMPUTE_MS = 3_000;
export const MIN_MEMORY_MS = 1_500;
/** From the answer that names what is to be opened. */
export const OPEN_WITHIN_MS = 5_000;
/** Seconds that a challenge is open, and each step of it. */
export const CHALLENGE_TTL_S = 60;

const LEAF_BYTES = DIGESTS_PER_LEAF * DIGEST_BYTES;
/** More than the longest path to the root of MAX_ROWS, or of MAX_PASSES × pages. */
const MAX_LEVELS = 24;

const ChallengeId = z.uuid();

/** Unpadded base64url of at most so many bytes. */
function bytes(most: number) {
  return z
    .string()
    .max(Math.ceil((most * 4) / 3))
    .regex(/^[\w-]*$/, "must be base64url")
    .refine((text) => text.length % 4 !== 1, "must be whole bytes");
}

const Bytes32 = z.string().regex(/^[\w-]{43}$/, "must be 32 bytes in base64url");

/** Asks for a challenge: nothing is to be said. */
export const ChallengeRequest = z.object({});

export const Challenge = z.object({
  id: ChallengeId,
  version: z.int().positive(),
  nonce: Bytes32,
  /** B's, the same for all nodes of an epoch. */
  seed: Bytes32,
  /** Milliseconds before which no commitment is taken. */
  min_ms: z.int().positive(),
  max_rows: z.int().positive(),
  expires_in_seconds: z.int().positive(),
});
export type Challenge = z.infer<typeof Challenge>;

/** Binds what was computed; the first one counts. */
export const CommitRequest = z.discriminatedUnion("part", [
  z.object({
    id: ChallengeId,
    part: z.literal("compute"),
    rows: z.int().min(MIN_ROWS).max(MAX_ROWS),
    /** Of the tree over the rows' digests. */
    root: Bytes32,
  }),
  z.object({
    id: ChallengeId,
    part: z.literal("memory"),
    /** Rows of C that were kept and read in each pass, from the first on. */
    table_rows: z.int().min(DIGESTS_PER_LEAF).max(MAX_ROWS).multipleOf(DIGESTS_PER_LEAF),
    passes: z.int().positive().max(MAX_PASSES),
    /** Of the tree over the passes' roots. */
    root: Bytes32,
  }),
]);
export type CommitRequest = z.infer<typeof CommitRequest>;

export const CommitAnswer = z.object({
  /** Numbers of rows; of the memory part, pass × pages of the table + page. Ascending. */
  open: z.array(z.int().nonnegative()).min(1).max(OPENED_ROWS),
  within_ms: z.int().positive(),
});
export type CommitAnswer = z.infer<typeof CommitAnswer>;

/** Leaves (digests) that stand in the rows' tree, ascending and each once, with what leads from them to its root. */
const rowLeaves = (most: number) => ({
  leaves: bytes(most * LEAF_BYTES),
  path: bytes(most * MAX_LEVELS * HASH_BYTES),
});

export const OpenRequest = z.discriminatedUnion("part", [
  z.object({
    id: ChallengeId,
    part: z.literal("compute"),
    /** The opened rows of C, one behind the other. */
    rows: bytes(OPENED_ROWS * SIZE),
    ...rowLeaves(OPENED_ROWS),
  }),
  z.object({
    id: ChallengeId,
    part: z.literal("memory"),
    /** The opened pages, one behind the other. */
    pages: bytes(OPENED_PAGES * PAGE_BYTES),
    ...rowLeaves(OPENED_PAGES),
    /** For each opened page, the leaf of its pass's tree in which its digest stands, and the path to that pass's root. */
    digests: z
      .array(z.object({ leaf: bytes(LEAF_BYTES), path: bytes(MAX_LEVELS * HASH_BYTES) }))
      .max(OPENED_PAGES),
    /** Roots of the opened passes and of those before each, ascending and each once, and what leads to the root. */
    roots: bytes(2 * OPENED_PAGES * HASH_BYTES),
    roots_path: bytes(2 * OPENED_PAGES * MAX_LEVELS * HASH_BYTES),
  }),
]);
export type OpenRequest = z.infer<typeof OpenRequest>;

/** What a node's hardware counts for at the moment. */
export const HardwareStanding = z.object({
  version: z.int().positive(),
  /** Whether a proof stands behind the multiplier. */
  verified: z.boolean(),
  /** Credits a second on this node. */
  multiplier: z.number().positive(),
  /** Why: by a proof; without one; after a failed one. */
  basis: z.enum(["proof", "unproven", "cooldown"]),
  /** When a proof, or the time after a failed one, ends. ISO 8601, UTC. */
  until: z.iso.datetime().optional(),
});
export type HardwareStanding = z.infer<typeof HardwareStanding>;

export const OpenAnswer = z.discriminatedUnion("status", [
  /** The rows are right; the memory part follows, its time runs from now. */
  z.object({
    status: z.literal("continue"),
    key: Bytes32,
    min_ms: z.int().positive(),
    max_passes: z.int().positive(),
    full_table_rows: z.int().positive(),
  }),
  z.object({
    status: z.literal("passed"),
    /** Operations a second, and bytes a second where the memory part took place. */
    compute_ops: z.int().nonnegative(),
    memory_bytes: z.int().nonnegative(),
    /** What this run alone comes to. */
    run_multiplier: z.number().positive(),
    standing: HardwareStanding,
  }),
]);
export type OpenAnswer = z.infer<typeof OpenAnswer>;

/** Pages of a table. */
export function pagesOf(tableRows: number): number {
  return tableRows / ROWS_PER_PAGE;
}
