import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { devDependencies } from "../package.json";
import { bunExecutable } from "./build/bun-executable";
import { compile } from "./build/compile";
import { RELEASE_TARGETS } from "./build/targets";

const USAGE = `Usage: npm run build -- [--all] [--outfile PATH]

Makes the executable dist/troop for this machine. With --all also one for each platform,
dist/troop-<os>-<arch>, and their hashes in dist/SHA256SUMS.
`;

const ROOT = resolve(import.meta.dirname, "..");
const DIST = join(ROOT, "dist");

const values = readFlags();
if (values.help === true) {
  process.stdout.write(USAGE);
} else {
  requirePinnedBun();
  await buildOwn(resolve(values.outfile ?? join(DIST, ownName())));
  if (values.all === true) await buildAll();
}

function readFlags() {
  const options = {
    all: { type: "boolean" },
    outfile: { type: "string" },
    help: { type: "boolean", short: "h" },
  } as const;
  try {
    return parseArgs({ options }).values;
  } catch (cause) {
    process.stderr.write(
      `${cause instanceof Error ? cause.message : "A flag is wrong."}\n${USAGE}`,
    );
    return process.exit(2);
  }
}

async function buildOwn(outfile: string): Promise<void> {
  await compile({ root: ROOT, outfile });
  report(outfile);
}

/**
 * The same files whatever machine makes them: none carries bytecode, not even the one for this
 * machine's own platform.
 */
async function buildAll(): Promise<void> {
  const sums: string[] = [];
  for (const { bunTarget: target, bunPackage, fileName } of RELEASE_TARGETS) {
    const executable = await bunExecutable(ROOT, bunPackage);
    const outfile = join(DIST, fileName);
    await compile({ root: ROOT, outfile, foreign: { target, executable } });
    sums.push(`${await sha256(outfile)}  ${fileName}\n`);
    report(outfile);
  }
  await Bun.write(join(DIST, "SHA256SUMS"), sums.join(""));
  report(join(DIST, "SHA256SUMS"));
}

/** The runtime goes into the executable, so it has to be the one that was tested. */
function requirePinnedBun(): void {
  if (Bun.version === devDependencies.bun) return;
  process.stderr.write(
    `This is Bun ${Bun.version}; troop is built with ${devDependencies.bun}. Run: npm run build\n`,
  );
  process.exit(1);
}

function ownName(): string {
  return process.platform === "win32" ? "troop.exe" : "troop";
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of Bun.file(path).stream()) hash.update(chunk);
  return hash.digest("hex");
}

function report(path: string): void {
  const megabytes = (Bun.file(path).size / 1e6).toFixed(1);
  process.stdout.write(`${path}  ${megabytes} MB\n`);
}
