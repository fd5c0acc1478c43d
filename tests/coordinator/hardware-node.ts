import { base64url } from "jose";
import { ENROLMENT_HEADER } from "#protocol/enrolment";
import {
  Challenge,
  CommitAnswer,
  HardwareStanding,
  MIN_COMPUTE_MS,
  MIN_MEMORY_MS,
  OpenAnswer,
} from "#protocol/hardware";
import { Problem } from "#protocol/problem";
import type { PagesOpened } from "#protocol/poh/check-pages";
import type { Registration } from "#protocol/register";
import { bindPasses, bindRows, computeRows, type Rows } from "#support/hardware-run";
import { newPeer, type TestPeer } from "#support/test-peer";

/** A node that proves its hardware step by step, so that tests can get each step wrong. */
export type HardwareNode = TestPeer & {
  readonly registration: Registration;
  readonly nodeId: string;
  readonly post: (step: "challenge" | "commit" | "verify", body: object) => Promise<Response>;
  readonly standing: () => Promise<HardwareStanding>;
};

export async function newNode(baseUrl: string): Promise<HardwareNode> {
  const peer = await newPeer(baseUrl);
  const registration = await peer.register();
  return {
    ...peer,
    registration,
    nodeId: peer.identity.peerId,
    post: (step, body) =>
      peer.call(`/hardware/${step}`, {
        body,
        headers: { [ENROLMENT_HEADER]: registration.enrolment },
      }),
    standing: async () => HardwareStanding.parse(await (await peer.call("/hardware")).json()),
  };
}

export async function codeOf(answer: Response): Promise<string> {
  return `${answer.status} ${Problem.parse(await answer.json()).code}`;
}

/** The time that a run has to take is part of the protocol: nothing tells when it is over but the clock. */
export const pastLeast = (startedMs: number, leastMs: number): Promise<void> =>
  Bun.sleep(startedMs + leastMs + 20 - Date.now());

const ROWS = 1_024;
const PASSES = 3;

/** A challenge, answered with 1,024 rows that are right unless the test says otherwise. */
export async function begin(node: HardwareNode, rowsOf?: (right: Rows) => Rows) {
  const challenge = Challenge.parse(await (await node.post("challenge", {})).json());
  const startedMs = Date.now();
  const right = computeRows(ROWS, {
    nodeId: node.nodeId,
    nonce: base64url.decode(challenge.nonce),
    seed: base64url.decode(challenge.seed),
  });
  const rows = rowsOf?.(right) ?? right;
  const bound = bindRows(rows);
  const commitment = {
    id: challenge.id,
    part: "compute",
    rows: rows.length,
    root: base64url.encode(bound.tree.root),
  };
  return { challenge, startedMs, rows, bound, commitment };
}

export type Run = Awaited<ReturnType<typeof begin>>;

/** Binds the rows once that may be; the answer says which to open. */
export async function commitRows(node: HardwareNode, run: Run) {
  await pastLeast(run.startedMs, MIN_COMPUTE_MS);
  const asked = CommitAnswer.parse(await (await node.post("commit", run.commitment)).json());
  const opened = run.bound.open(asked.open);
  const opening = {
    id: run.challenge.id,
    part: "compute",
    rows: base64url.encode(opened.rows),
    leaves: base64url.encode(opened.leaves),
    path: base64url.encode(opened.path),
  };
  return { asked, opening };
}

/** Both parts, all of it right. */
export async function passAll(node: HardwareNode) {
  const run = await begin(node);
  const { opening } = await commitRows(node, run);
  const goOn = OpenAnswer.parse(await (await node.post("verify", opening)).json());
  if (goOn.status !== "continue") throw new Error("The memory part was left out.");
  const { asked, id, made } = await commitPasses(node, run, goOn.key);
  const opened = textOf(made.open(asked.open));
  const answer = await node.post("verify", { id, part: "memory", ...opened });
  return OpenAnswer.parse(await answer.json());
}

export async function commitPasses(node: HardwareNode, run: Run, key: string) {
  const startedMs = Date.now();
  const made = bindPasses(run.rows, PASSES, base64url.decode(key));
  const { id } = run.challenge;
  const commitment = {
    id,
    part: "memory",
    table_rows: ROWS,
    passes: PASSES,
    root: base64url.encode(made.committed.root),
  };
  await pastLeast(startedMs, MIN_MEMORY_MS);
  const asked = CommitAnswer.parse(await (await node.post("commit", commitment)).json());
  return { asked, id, made, commitment };
}

export function textOf({ digests, rootsPath, ...rest }: PagesOpened) {
  const text = (bytes: Uint8Array) => base64url.encode(bytes);
  return {
    pages: text(rest.pages),
    leaves: text(rest.leaves),
    path: text(rest.path),
    roots: text(rest.roots),
    roots_path: text(rootsPath),
    digests: digests.map(({ leaf, path }) => ({ leaf: text(leaf), path: text(path) })),
  };
}
