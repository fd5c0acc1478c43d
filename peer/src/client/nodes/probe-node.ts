import { connect } from "node:net";
import { deadline } from "../../http/deadline";

export type ProbeLimits = { readonly connectWithinMs: number; readonly answerWithinMs: number };

/**
 * `away`: it cannot be reached. `silent`: its machine takes connections, and nothing answers them.
 * `roundTripMs`: what connecting took, without the work of any engine in it.
 */
export type NodeProbe =
  | { readonly state: "there"; readonly roundTripMs: number }
  | { readonly state: "away" | "silent" };

/** Nobody waits for it; a first packet over an overlay may take a second. */
const LIMITS: ProbeLimits = { connectWithinMs: 3_000, answerWithinMs: 3_000 };

/**
 * Asks a node (`http://address:port`) for a sign of life, over a connection of its own: one that was used before may be
 * dead without either side having heard.
 */
export function probeNode(url: string, limits: ProbeLimits = LIMITS): Promise<NodeProbe> {
  const { hostname, port, host } = new URL(url);
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) || 80 });
    let inTime = deadline(limits.connectWithinMs, () => end({ state: "away" }));
    function end(probe: NodeProbe): void {
      inTime();
      socket.destroy();
      resolve(probe);
    }
    socket.once("connect", () => {
      const roundTripMs = performance.now() - startedMs;
      inTime();
      inTime = deadline(limits.answerWithinMs, () => end({ state: "silent" }));
      // Any answer is one.
      socket.once("data", () => end({ state: "there", roundTripMs }));
      socket.once("end", () => end({ state: "silent" }));
      socket.write(`GET /health HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    });
    socket.once("error", () => end({ state: "away" }));
  });
}
