import { appError } from "./app/app-error";
import { hasAppKey } from "./app/app-key";
import { corsHeaders, isAllowedOrigin, isOwnHost, preflight } from "./app/cors";
import { listModels, showModel } from "./app/models-api";
import { post, type PostDeps } from "./post";

const MODELS_PATH = "/v1/models";
const BELOW_MODELS = `${MODELS_PATH}/`;
const READ_METHODS = "GET, HEAD, OPTIONS";

export type HandleDeps = PostDeps & {
  readonly listening: string;
  /** What apps have to show; `undefined`: any key will do, and none. */
  readonly apiKey?: string | undefined;
  /** Origins whose pages may use it besides those of this machine. */
  readonly origins: ReadonlySet<string>;
};

/** Answers an app. Every answer is JSON or what a node said. */
export function handle(deps: HandleDeps, request: Request): Response | Promise<Response> {
  if (!isOwnHost(request.headers.get("host"), deps.listening)) {
    return appError(
      403,
      "invalid_request",
      "This endpoint is not known by that host name. Use localhost, or its address.",
    );
  }
  const origin = request.headers.get("origin");
  if (origin === null) return route(deps, request);
  if (!isAllowedOrigin(origin, deps.origins)) {
    const text =
      "Pages of that origin may not use this endpoint, only those that this machine serves. Start the client with --origin and that origin to let them.";
    return appError(403, "invalid_request", text);
  }
  if (request.method === "OPTIONS") return preflight(request, origin);
  return shownTo(origin, route(deps, request));
}

async function shownTo(origin: string, answering: Response | Promise<Response>): Promise<Response> {
  const answer = await answering;
  for (const [name, value] of Object.entries(corsHeaders(origin))) answer.headers.set(name, value);
  return answer;
}

function route(deps: HandleDeps, request: Request): Response | Promise<Response> {
  const target = targetOf(request.url);
  const query = target.indexOf("?");
  const path = query === -1 ? target : target.slice(0, query);
  const { method } = request;
  const isRead = method === "GET" || method === "HEAD";
  if (method === "OPTIONS") {
    return new Response(null, { status: 204, headers: { allow: "GET, HEAD, POST, OPTIONS" } });
  }
  if (path === "/" || path === "/health") {
    return isRead ? Response.json({ status: "ok", endpoint: "/v1" }) : wrongMethod(READ_METHODS);
  }
  if (deps.apiKey !== undefined && !hasAppKey(request.headers, deps.apiKey)) {
    const text =
      "This endpoint asks for the API key that it was started with; send it as a bearer token.";
    return appError(401, "invalid_api_key", text, { headers: { "www-authenticate": "Bearer" } });
  }
  if (path === MODELS_PATH || path.startsWith(BELOW_MODELS)) {
    if (!isRead) return wrongMethod(READ_METHODS);
    const id = path.slice(BELOW_MODELS.length);
    return id === "" ? listModels(deps) : showModel(deps, id);
  }
  if (!path.startsWith("/v1/") || path.startsWith("/v1/v1/")) return nothingHere();
  if (method === "POST") return post(deps, request, target);
  // Stored answers and batches are read with GET, and no node keeps any.
  return isRead ? nothingHere() : wrongMethod("POST, OPTIONS");
}

function nothingHere(): Response {
  const text =
    "There is nothing here. This is OpenAI's API, whose base URL ends in /v1: requests go to POST /v1/…, models are at GET /v1/models.";
  return appError(404, "not_found", text);
}

function wrongMethod(allow: string): Response {
  const text = `This path takes other methods: ${allow}.`;
  return appError(405, "method_not_allowed", text, { headers: { allow } });
}

/**
 * Path and query of a URL, which is absolute unless its request named no host, as they came; a fragment, which no request
 * should have, goes no further.
 */
function targetOf(url: string): string {
  const start = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("://") + 3);
  const end = url.indexOf("#");
  return start === -1 ? "/" : url.slice(start, end === -1 ? undefined : end);
}
