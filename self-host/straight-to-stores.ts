/** In front of the bundle, which stays what `wrangler deploy` ships: its `fetch` goes by the binding below. */
const ENTRY = `
import { env } from "cloudflare:workers";
export * from "./coordinator.js";
export { default } from "./coordinator.js";
globalThis.fetch = (input, init) => env.LOOPBACK.fetch(input, init);
`;

/**
 * Options of Miniflare for a bundle whose `fetch` leads straight to the stores. By itself Miniflare puts a worker of its
 * own in the way of each, for images and headers that nobody here asks for; two for each call took a fifth of its CPU time.
 * Nothing but this machine can be reached by it, which is all that a coordinator has to reach.
 */
export function straightToStores(script: string) {
  return {
    modules: [
      { type: "ESModule" as const, path: "entry.js", contents: ENTRY },
      { type: "ESModule" as const, path: "coordinator.js", contents: script },
    ],
    serviceBindings: { LOOPBACK: { network: { allow: ["127.0.0.1/32"] } } },
  };
}
