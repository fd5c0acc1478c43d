import { onTestFinished } from "vitest";
import { type EngineCandidate, engineCandidates } from "#peer/engines/engine-env";
import { type Detection, type DetectedEngine, detectEngine, isMissing } from "#peer/engines/detect";

/** What a path answers: JSON with status 200, or a whole response. */
export type Route = object | (() => Response | Promise<Response>);

/** A server with these answers that ends with the test; `elsewhere` answers any other path. */
export function serving(
  routes: Readonly<Record<string, Route>>,
  elsewhere: (request: Request) => Response = () => new Response("nope", { status: 404 }),
): { url: string; asked: string[] } {
  const asked: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch(request) {
      const { pathname } = new URL(request.url);
      asked.push(`${request.method} ${pathname}`);
      const route = routes[`${request.method} ${pathname}`] ?? routes[pathname];
      if (route === undefined) return elsewhere(request);
      return typeof route === "function" ? route() : Response.json(route);
    },
  });
  onTestFinished(() => server.stop(true));
  return { url: `http://127.0.0.1:${server.port}`, asked };
}

/** The candidate that `--engine URL` makes. */
export function candidateOf(url: string, apiKey?: string): EngineCandidate {
  const { candidates } = engineCandidates([url], { ENGINE_API_KEY: apiKey });
  const [candidate] = candidates;
  if (candidate === undefined) throw new Error("no candidate");
  return candidate;
}

export function detect(url: string, timeoutMs = 1_500): Promise<Detection> {
  return detectEngine(candidateOf(url), { timeoutMs });
}

export async function detected(url: string): Promise<DetectedEngine> {
  const detection = await detect(url);
  if (isMissing(detection)) throw new Error(`not detected: ${detection.reason}`);
  return detection;
}
