import { ModelId } from "#protocol/model-offer";
import { appError } from "./app-error";
import { hasAppKey } from "./app-key";
import type { BodyBudget, BodyRefusal } from "./body-budget";
import { carry } from "./carry";
import { coordinatorError } from "./coordinator-error";
import { conversationKey } from "./conversation-key";
import { corsHeaders, isAllowedOrigin, isOwnHost, preflight } from "./cors";
import { renameModel } from "../http/rename-model";
import { listModels, showModel, unknownModel, unusableNetwork } from "./models-api";
import { namedModel } from "./named-model";
import type { Networks } from "./networks";
import type { SearchDeps } from "./search";

const MODELS_PATH = "/v1/models";
const READ_METHODS = "GET, HEAD, OPTIONS";
/** A proof names the target behind its audience, in 4,096 characters. */
const MOST_TARGET_CHARACTERS = 4_000;

export type HandleDeps = Omit<SearchDeps, "leases" | "models"> & {
  readonly networks: Networks;
  readonly bodies: BodyBudget;
  readonly listening: string;
  /** What apps have to show; `undefined`: any key will do, and none. */
  readonly apiKey?: string | undefined;
  /** Resolves when this peer is enrolled, or rejects with why not; a request waits for it. */
  readonly enrolled: () => Promise<unknown>;
};

/** Answers an app. Every answer is JSON or what a node said. */
export async function handle(deps: HandleDeps, request: Request): Promise<Response> {
  if (!isOwnHost(request.headers.get("host"), deps.listening)) {
    return appError(403, "invalid_request", "This endpoint is not known by that host name.");
  }
  const origin = request.headers.get("origin");
  if (origin === null) return route(deps, request);
  if (!isAllowedOrigin(origin)) {
    return appError(403, "invalid_request", "Pages of that origin may not use this endpoint.");
  }
  if (request.method === "OPTIONS") return preflight(request, origin);
  const answer = await route(deps, request);
  for (const [name, value] of Object.entries(corsHeaders(origin))) answer.headers.set(name, value);
  return answer;
}

async function route(deps: HandleDeps, request: Request): Promise<Response> {
  const target = targetOf(request.url);
  const path = target.split("?", 1)[0] ?? target;
  const { method } = request;
  const isRead = method === "GET" || method === "HEAD";
  if (method === "OPTIONS") {
    return new Response(null, { status: 204, headers: { allow: "GET, HEAD, POST, OPTIONS" } });
  }
  if (path === "/" || path === "/health") {
    return isRead ? Response.json({ status: "ok", endpoint: "/v1" }) : wrongMethod(READ_METHODS);
  }
  if (deps.apiKey !== undefined && !hasAppKey(request.headers, deps.apiKey)) {
    const text = "This endpoint asks for the API key that it was started with.";
    return appError(401, "invalid_api_key", text, { headers: { "www-authenticate": "Bearer" } });
  }
  if (path === MODELS_PATH || path.startsWith(`${MODELS_PATH}/`)) {
    if (!isRead) return wrongMethod(READ_METHODS);
    const id = path.slice(MODELS_PATH.length + 1);
    return id === "" ? listModels(deps) : showModel(deps, id);
  }
  if (!path.startsWith("/v1/")) return nothingHere();
  if (method === "POST") return post(deps, request, target);
  // Stored answers and batches are read with GET, and no node keeps any.
  return isRead ? nothingHere() : wrongMethod("POST, OPTIONS");
}

async function post(deps: HandleDeps, request: Request, target: string): Promise<Response> {
  if (target.length > MOST_TARGET_CHARACTERS) {
    return appError(414, "invalid_request", "The path and its query are too long.");
  }
  const { headers, signal } = request;
  const held = await deps.bodies.read(request);
  if (!held.ok) return refuseBody(held);
  const { bytes, hash, release } = held.value;
  let isCarried = false;
  try {
    const name = await namedModel(headers, bytes);
    if (name === undefined) {
      const text = "The body must be JSON or a form, and name a model.";
      return appError(400, "model_required", text, { param: "model" });
    }
    if (!ModelId.safeParse(name).success) {
      const text = "A model's name has 1 to 256 characters, and no control characters.";
      return appError(400, "invalid_request", text, { param: "model" });
    }
    await deps.enrolled();
    const picked = deps.networks.pick(name);
    if (!picked.ok) return unusableNetwork(picked);
    const { desk, model } = picked.value;
    const { leases, models } = desk;
    // With a ticket at hand nobody is asked anything.
    if (!leases.isReady(model) && (await models.has(model)) === false) {
      return await unknownModel(models, model);
    }
    // Engines know nothing of networks.
    const said = model === name ? { body: bytes, hash } : renameModel(headers, bytes, name, model);
    if (said === undefined) return appError(400, "invalid_request", PACKED, { param: "model" });
    const { body, hash: bodyHash } = said;
    const requestId = crypto.randomUUID();
    isCarried = true;
    const conversation = conversationKey(model, headers, bytes);
    const carried = { model, target, headers, body, bodyHash, signal, requestId, conversation };
    return await carry({ ...deps, leases, models }, carried, release);
  } catch (error) {
    return coordinatorError(error);
  } finally {
    if (!isCarried) release();
  }
}

const PACKED =
  "A packed body can't name a network with its model. Send it without content-encoding, or start the client with --network.";

function refuseBody({ reason }: BodyRefusal): Response {
  switch (reason) {
    case "too_large":
      return appError(413, "request_too_large", "The body is larger than 128 MiB.");
    case "too_many":
      return appError(503, "node_busy", "Too many large bodies are on their way. Try again.", {
        headers: { "retry-after": "5" },
      });
    case "broken":
      return appError(400, "invalid_request", "The body did not arrive whole.");
  }
}

function nothingHere(): Response {
  const text = "There is nothing here. Requests go to POST /v1/…, models are at GET /v1/models.";
  return appError(404, "not_found", text);
}

function wrongMethod(allow: string): Response {
  const text = `This path takes other methods: ${allow}.`;
  return appError(405, "method_not_allowed", text, { headers: { allow } });
}

/** Path and query of an absolute URL, as they came; a fragment, which no request should have, goes no further. */
function targetOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const end = url.indexOf("#");
  return start === -1 ? "/" : url.slice(start, end === -1 ? undefined : end);
}
