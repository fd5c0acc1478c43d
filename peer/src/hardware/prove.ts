import {
  type Challenge,
  DIGESTS_PER_LEAF,
  HARDWARE_VERSION,
  MIN_COMPUTE_MS,
  type OpenAnswer,
} from "#protocol/hardware";
import { placesOf } from "#protocol/poh/check-pages";
import { keyOfA, OPERATIONS_PER_ROW, SIZE } from "#protocol/poh/matrix";
import { buildTree, rootOf } from "#protocol/poh/merkle";
import {
  type DigestTree,
  joined,
  showLeaves,
  showPasses,
  treeOfDigests,
} from "#protocol/poh/openings";
import { passKey, passStream, ROWS_PER_PAGE } from "#protocol/poh/page-digest";
import { base64url } from "jose";
import type { CoordinatorApi } from "../coordinator/api";
import { type Computed, type ProofDevice, ProofYielded } from "./device";
import type { StopBetween } from "./stop-between";

/** How long a part takes at least, and the first one at most where the table fills slowly. */
const COMPUTE_MS = 4_000;
const COMPUTE_AT_MOST_MS = 12_000;
const MEMORY_MS = 2_000;
/** Fast machines make so many passes that not all digests can be kept: those asked for are made again, which is fast there. */
const KEPT_DIGEST_BYTES = 128 * 1_024 * 1_024;

export type ProveOptions = {
  readonly api: Pick<CoordinatorApi, "challengeHardware" | "commitHardware" | "verifyHardware">;
  readonly enrolment: string;
  readonly nodeId: string;
  readonly device: ProofDevice;
  /** Its signal is the device's, too. */
  readonly stop: StopBetween;
  readonly steadyMs: () => number;
  readonly onProgress: (progress: Progress) => void;
  /** Bytes of passes' digests that are kept until some are asked for. */
  readonly keptDigestBytes?: number;
};

export type Progress =
  | { readonly part: "compute"; readonly rows: number; readonly opsPerSecond: number }
  | { readonly part: "memory"; readonly passes: number; readonly bytesPerSecond: number };

export type Passed = Extract<OpenAnswer, { status: "passed" }>;

/** This version of troop cannot do what the coordinator asks. */
export class ProofVersionError extends Error {
  override readonly name = "ProofVersionError";
}

/**
 * One whole proof of hardware. Throws `ProofYielded` where it is stopped, which waits while something is bound; `CoordinatorProblem`
 * where the coordinator refuses it, and what the device throws.
 */
export async function proveHardware(options: ProveOptions): Promise<Passed> {
  const { api, device, enrolment, nodeId, stop } = options;
  throwIfStopped(options);
  const challenge = await api.challengeHardware(enrolment);
  if (challenge.version !== HARDWARE_VERSION) throw new ProofVersionError();
  const computed = await compute(options, challenge, keyOfA(decode(challenge.nonce), nodeId));
  const tree = treeOfDigests(computed.digests);
  const { rows, tableRows } = computed;
  const { id } = challenge;
  const root = base64url.encode(tree.root);
  const answer = await stop.whole(async () => {
    const asked = await api.commitHardware({ id, part: "compute", rows, root });
    const opened = await openRows(device, asked.open);
    return api.verifyHardware({
      id,
      part: "compute",
      rows: base64url.encode(opened),
      ...encoded(showLeaves(tree, asked.open)),
    });
  });
  if (answer.status === "passed") return answer;
  return proveMemory(options, { id, tree, tableRows, answer });
}

async function compute(
  { device, onProgress, steadyMs }: ProveOptions,
  challenge: Challenge,
  keyA: Uint8Array,
): Promise<Computed> {
  const startedMs = steadyMs();
  const least = Math.max(MIN_COMPUTE_MS, challenge.min_ms);
  const computed = await device.compute({
    keyA,
    seed: decode(challenge.seed),
    maxRows: challenge.max_rows,
    isEnough(rows) {
      const ms = steadyMs() - startedMs;
      onProgress({ part: "compute", rows, opsPerSecond: (rows * OPERATIONS_PER_ROW * 1_000) / ms });
      const isFull = device.tableRowsWanted <= rows;
      return ms >= (isFull ? Math.max(COMPUTE_MS, least) : COMPUTE_AT_MOST_MS);
    },
  });
  // A device that can keep no more digests was done sooner than may be; what it waits counts against it.
  const leftMs = startedMs + least - steadyMs();
  if (leftMs > 0) await Bun.sleep(leftMs);
  return computed;
}

type MemoryRun = {
  readonly id: string;
  readonly tree: DigestTree;
  readonly tableRows: number;
  readonly answer: Extract<OpenAnswer, { status: "continue" }>;
};

async function proveMemory(options: ProveOptions, run: MemoryRun): Promise<Passed> {
  const { device, onProgress, steadyMs, keptDigestBytes = KEPT_DIGEST_BYTES } = options;
  const { tableRows } = run;
  const issued = decode(run.answer.key);
  const leastMs = Math.max(MEMORY_MS, run.answer.min_ms);
  const streamOf = (pass: number) => passStream(passKey(issued, roots[pass - 1]));
  const roots: Uint8Array[] = [];
  const kept: Uint8Array[] = [];
  const startedMs = steadyMs();
  let ms = 0;
  while (ms < leastMs && roots.length < run.answer.max_passes) {
    throwIfStopped(options);
    const digests = await device.pass(streamOf(roots.length));
    if ((roots.length + 1) * digests.length <= keptDigestBytes) kept.push(digests);
    roots.push(treeOfDigests(digests).root);
    ms = steadyMs() - startedMs;
    const bytesPerSecond = (roots.length * tableRows * SIZE * 1_000) / ms;
    onProgress({ part: "memory", passes: roots.length, bytesPerSecond });
  }
  if (ms < run.answer.min_ms) await Bun.sleep(run.answer.min_ms - ms);

  const answer = await options.stop.whole(() =>
    showMemory(options, run, { roots, kept, streamOf }),
  );
  if (answer.status === "passed") return answer;
  throw new ProofVersionError();
}

type Passes = {
  readonly roots: readonly Uint8Array[];
  /** Digests of the first passes. */
  readonly kept: Uint8Array[];
  readonly streamOf: (pass: number) => Uint8Array;
};

/** Binds the passes and opens what is asked for of them. */
async function showMemory(
  { api, device }: ProveOptions,
  { id, tableRows, tree }: MemoryRun,
  { kept, roots, streamOf }: Passes,
): Promise<OpenAnswer> {
  const asked = await api.commitHardware({
    id,
    part: "memory",
    table_rows: tableRows,
    passes: roots.length,
    root: base64url.encode(rootOf(buildTree(roots))),
  });
  const places = placesOf(asked.open, tableRows);
  for (const pass of new Set(places.map((place) => place.pass))) {
    kept[pass] ??= await device.pass(streamOf(pass));
  }
  const shown = showPasses(asked.open, tableRows, kept, roots);
  const rows = places.flatMap(({ page }) =>
    Array.from({ length: ROWS_PER_PAGE }, (_, at) => page * ROWS_PER_PAGE + at),
  );
  return api.verifyHardware({
    id,
    part: "memory",
    pages: base64url.encode(await openRows(device, rows)),
    ...encoded(showLeaves(tree, rows)),
    digests: shown.digests.map(encodedLeaf),
    roots: base64url.encode(shown.roots),
    roots_path: base64url.encode(shown.rootsPath),
  });
}

/** Rows of C, one behind the other. */
async function openRows(device: ProofDevice, rows: readonly number[]): Promise<Uint8Array> {
  const opened: Uint8Array[] = [];
  let leaf: { number: number; rows: Uint8Array } = { number: -1, rows: new Uint8Array() };
  for (const row of rows) {
    const number = Math.floor(row / DIGESTS_PER_LEAF);
    if (leaf.number !== number) leaf = { number, rows: await device.leafRows(number) };
    const at = (row % DIGESTS_PER_LEAF) * SIZE;
    opened.push(leaf.rows.subarray(at, at + SIZE));
  }
  return joined(opened);
}

function throwIfStopped({ stop }: Pick<ProveOptions, "stop">): void {
  if (stop.signal.aborted) throw new ProofYielded("The run was stopped.");
}

function encoded({ leaves, path }: { leaves: Uint8Array; path: Uint8Array }) {
  return { leaves: base64url.encode(leaves), path: base64url.encode(path) };
}

function encodedLeaf({ leaf, path }: { leaf: Uint8Array; path: Uint8Array }) {
  return { leaf: base64url.encode(leaf), path: base64url.encode(path) };
}

function decode(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(base64url.decode(text));
}
