import ack from "../vectors/ack.json";
import e2e from "../vectors/e2e.json";
import enrolment from "../vectors/enrolment.json";
import hardware from "../vectors/hardware.json";
import identity from "../vectors/identity.json";
import microcredits from "../vectors/microcredits.json";
import proof from "../vectors/proof.json";
import receipt from "../vectors/receipt.json";
import ticket from "../vectors/ticket.json";
import { VectorFile } from "./vector-case";
import { OPERATIONS } from "./vector-operations";

export type VectorResult = { readonly name: string; readonly ok: boolean; readonly got: unknown };

const VECTOR_FILES = {
  ack,
  e2e,
  enrolment,
  hardware,
  identity,
  microcredits,
  proof,
  receipt,
  ticket,
};

/** Runs every vector through protocol/, on whatever runtime this is; one result each, in the files' order. */
export async function runVectorSuite(
  files: Readonly<Record<string, unknown>> = VECTOR_FILES,
): Promise<VectorResult[]> {
  const results: VectorResult[] = [];
  for (const [file, content] of Object.entries(files)) {
    for (const { name, op, input, expect } of VectorFile.parse(content).cases) {
      const got = await outcomeOf(op, input);
      results.push({ name: `${file}: ${name}`, ok: canonical(got) === canonical(expect), got });
    }
  }
  return results;
}

async function outcomeOf(op: string, input: unknown): Promise<unknown> {
  const run = OPERATIONS[op];
  if (run === undefined) return `no such operation: ${op}`;
  try {
    return await run(input);
  } catch {
    return "throws"; // Errors of the runtimes' own are worded differently; that it throws is the promise.
  }
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
