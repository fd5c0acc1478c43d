import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { SelfHostError } from "./self-host-error";

const ROOT = join(import.meta.dirname, "..");
const SOURCES = [
  "coordinator-worker/src",
  "protocol",
  "wrangler.toml",
  "package.json",
  "bun.lockb",
];

/**
 * The script that `wrangler deploy` would ship, made by wrangler itself; kept by the hash of its sources, so that
 * only a change costs the seconds of bundling.
 */
export async function coordinatorBundle(): Promise<string> {
  const folder = join(ROOT, ".cache", "coordinator", hashSources());
  const script = join(folder, "worker.js");
  if (!existsSync(script)) await bundleInto(folder);
  return readFileSync(script, "utf8");
}

async function bundleInto(folder: string): Promise<void> {
  const draft = `${folder}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  const wrangler = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
  const run = Bun.spawn(
    [process.execPath, "--bun", wrangler, "deploy", "--dry-run", "--outdir", draft],
    {
      cwd: ROOT,
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_LOG: "error", CI: "true" },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const [code, said] = await Promise.all([run.exited, new Response(run.stderr).text()]);
  if (code !== 0) {
    rmSync(draft, { recursive: true, force: true });
    throw new SelfHostError("wrangler could not bundle the coordinator", said.trim());
  }
  try {
    renameSync(draft, folder);
  } catch (cause) {
    rmSync(draft, { recursive: true, force: true });
    // Somebody else bundled the same sources meanwhile.
    if (!existsSync(folder)) throw cause;
  }
}

function hashSources(): string {
  const hasher = new Bun.CryptoHasher("sha256");
  for (const source of SOURCES) addTo(hasher, join(ROOT, source));
  return hasher.digest("hex").slice(0, 32);
}

function addTo(hasher: Bun.CryptoHasher, path: string): void {
  if (/\.(ts|toml|json|lockb)$/.test(path)) {
    hasher.update(`${path.slice(ROOT.length)}\0`);
    hasher.update(readFileSync(path));
    return;
  }
  for (const name of readdirSync(path).toSorted()) addTo(hasher, join(path, name));
}
