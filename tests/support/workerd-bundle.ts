import { fileURLToPath } from "node:url";

/** Workerd has Node's modules; Bun would put stand-ins for browsers there. */
const nodeOfWorkerd: Bun.BunPlugin = {
  name: "node-of-workerd",
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path }) => ({ path, external: true }));
  },
};

/** A module of this repository as one script for workerd with `nodejs_compat`. */
export async function bundleForWorkerd(entry: URL): Promise<string> {
  const built = await Bun.build({
    entrypoints: [fileURLToPath(entry)],
    target: "browser",
    conditions: ["workerd", "worker"],
    plugins: [nodeOfWorkerd],
  });
  const script = await built.outputs[0]?.text();
  if (script === undefined) throw new Error("The worker's bundle is empty.");
  return script;
}
