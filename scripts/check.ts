// What must hold of the sources besides the tests. Runs all of it and ends with 1 where one failed.
const CHECKS: readonly (readonly [string, ...string[]])[] = [
  ["oxfmt", "--check", "."],
  ["oxlint", "--type-aware", "."],
  ["tsc", "-p", "tsconfig.json"],
  ["tsc", "-p", "tsconfig.workerd.json"],
  ["bun", "--bun", "knip"],
  ["bun", "scripts/make-openapi.ts", "--check"],
  ["bun", "scripts/make-vectors.ts", "--check"],
  ["bun", "--bun", "drizzle-kit", "check"],
  ["bun", "scripts/check-migrations.ts"],
];

let failed = 0;
for (const command of CHECKS) {
  const startedMs = performance.now();
  const run = Bun.spawn([...command], { stdio: ["ignore", "pipe", "pipe"] });
  const [code, out, err] = await Promise.all([
    run.exited,
    new Response(run.stdout).text(),
    new Response(run.stderr).text(),
  ]);
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  process.stdout.write(`${code === 0 ? "ok    " : "FAILED"} ${seconds} s  ${command.join(" ")}\n`);
  if (code === 0) continue;
  failed += 1;
  process.stdout.write(`${out}${err}\n`);
}
process.exit(failed === 0 ? 0 : 1);
