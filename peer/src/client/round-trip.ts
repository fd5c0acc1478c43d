import { connect } from "node:net";

/** A node that takes longer to connect is as good as away. */
const WITHIN_MS = 5_000;

/**
 * Milliseconds that connecting to `url` (`http://address:port`) takes: one round trip, without the work of any engine
 * in it. `undefined`: it does not connect.
 */
export function roundTripTo(url: string): Promise<number | undefined> {
  const { hostname, port } = new URL(url);
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) || 80 });
    const end = (ms: number | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(ms);
    };
    const timer = setTimeout(() => end(undefined), WITHIN_MS);
    socket.once("connect", () => end(performance.now() - startedMs));
    socket.once("error", () => end(undefined));
  });
}
