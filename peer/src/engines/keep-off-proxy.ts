/**
 * Adds hosts to NO_PROXY. Bun's `fetch` sends everything through HTTP_PROXY, loopback included, so
 * without this prompts would leave the machine on their way to an engine on it.
 */
export function keepOffProxy(
  env: Record<string, string | undefined>,
  hosts: readonly string[],
): void {
  const name = env["no_proxy"] === undefined ? "NO_PROXY" : "no_proxy";
  const listed = (env[name] ?? "").split(",").map((host) => host.trim());
  const all = new Set([...listed, "127.0.0.1", "localhost", "::1", ...hosts]);
  all.delete("");
  env["NO_PROXY"] = env["no_proxy"] = [...all].join(",");
}
