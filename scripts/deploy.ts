import { join } from "node:path";

/** wrangler is made for Node from this version on; without one it runs under Bun, which bundles all the same. */
const NODE_MAJOR = 22;

const wrangler = join(import.meta.dirname, "../node_modules/wrangler/bin/wrangler.js");
const runtime = (await hasNode()) ? ["node"] : [process.execPath, "--bun"];
const run = Bun.spawn([...runtime, wrangler, "deploy", ...process.argv.slice(2)], {
  env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
  stdio: ["inherit", "inherit", "inherit"],
});
process.exit(await run.exited);

async function hasNode(): Promise<boolean> {
  // `bun run` puts its own `node` first in PATH; a real one says so by its version.
  if (Bun.which("node") === null) return false;
  const asked = Bun.spawn(["node", "-p", "process.versions.bun ?? process.versions.node"], {
    stdout: "pipe",
    stderr: "ignore",
  });
  const version = await new Response(asked.stdout).text();
  return Number.parseInt(version, 10) >= NODE_MAJOR;
}
