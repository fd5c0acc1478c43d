import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// A schema that changed without its migration would fail only where the next one is deployed.
const folder = mkdtempSync(join(tmpdir(), "troop-migrations-"));
try {
  cpSync("drizzle/migrations", folder, { recursive: true });
  const before = readdirSync(folder).length;
  const run = Bun.spawnSync([
    "bun",
    "--bun",
    "drizzle-kit",
    "generate",
    "--dialect",
    "postgresql",
    "--schema",
    "./drizzle/schema/*.ts",
    "--out",
    folder,
  ]);
  if (run.exitCode !== 0 || readdirSync(folder).length !== before) {
    process.stderr.write("drizzle/schema has changes without a migration: npm run db:generate\n");
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
