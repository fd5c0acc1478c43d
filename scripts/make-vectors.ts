/**
 * Writes tests/vectors/*.json; with `--check` compares instead, and exits 1 where a file differs, is missing or is one
 * too many: `bun scripts/make-vectors.ts [--check] [FOLDER]`.
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { VectorFile } from "#support/vector-case";
import { ackVectors, receiptVectors } from "#support/vector-recipes-claims";
import { e2eVectors } from "#support/vector-recipes-e2e";
import { enrolmentVectors } from "#support/vector-recipes-enrolment";
import { hardwareVectors } from "#support/vector-recipes-hardware";
import { identityVectors } from "#support/vector-recipes-identity";
import { microcreditsVectors } from "#support/vector-recipes-microcredits";
import { proofVectors } from "#support/vector-recipes-proof";
import { ticketVectors } from "#support/vector-recipes-ticket";

const VECTORS = fileURLToPath(new URL("../tests/vectors/", import.meta.url));

const FILES: Readonly<Record<string, VectorFile>> = {
  "ack.json": ackVectors(),
  "e2e.json": e2eVectors(),
  "enrolment.json": enrolmentVectors(),
  "hardware.json": hardwareVectors(),
  "identity.json": identityVectors(),
  "microcredits.json": microcreditsVectors(),
  "proof.json": proofVectors(),
  "receipt.json": receiptVectors(),
  "ticket.json": ticketVectors(),
};

/** One case a line: a changed vector is one changed line, and thousands of lines are not. */
function textOf({ about, cases }: VectorFile): string {
  const lines = cases.map((one) => `    ${JSON.stringify(one)}`);
  return `{\n  "about": ${JSON.stringify(about)},\n  "cases": [\n${lines.join(",\n")}\n  ]\n}\n`;
}

async function differing(folder: string): Promise<string[]> {
  const found = await readdir(folder);
  const extra = found
    .filter((name) => FILES[name] === undefined)
    .map((name) => `${name} (unknown)`);
  const changed: string[] = [];
  for (const [name, file] of Object.entries(FILES)) {
    if (!found.includes(name)) changed.push(`${name} (missing)`);
    else if ((await readFile(join(folder, name), "utf8")) !== textOf(file)) changed.push(name);
  }
  return [...changed, ...extra];
}

async function write(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, file] of Object.entries(FILES)) {
    await writeFile(join(folder, name), textOf(file));
  }
}

const { values, positionals } = parseArgs({
  options: { check: { type: "boolean", default: false } },
  allowPositionals: true,
});
const folder = positionals[0] ?? VECTORS;
if (values.check) {
  const names = await differing(folder);
  if (names.length > 0) {
    console.error(
      `Not what the recipes make: ${names.join(", ")}. Run: bun scripts/make-vectors.ts`,
    );
    process.exitCode = 1;
  }
} else {
  await write(folder);
}
