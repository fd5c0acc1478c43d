import { appError } from "./app-error";
import type { BodyBudget, BodyRefusal } from "./body-budget";
import { carry, type CarryDeps } from "./carry";
import { coordinatorError } from "./coordinator-error";
import { corsHeaders, isAllowedOrigin, isOwnHost, preflight } from "./cors";
import type { Models } from "./model-list";
import { namedModel } from "./named-model";

/** Models that a refusal names, at most. */
const SHOWN_MODELS = 20;
const MODELS_PATH = "/v1/models";

export type HandleDeps = CarryDeps & {
  readonly models: Models;
  readonly bodies: BodyBudget;
  readonly listening: string;
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
  const target = request.url.slice(request.url.indexOf("/", "https://".length));
  const path = target.split("?", 1)[0] ?? target;
  switch (request.method) {
    case "POST":
      if (path.startsWith("/v1/")) return post(deps, request, target);
      break;
    case "GET":
    case "HEAD":
      if (path === "/" || path === "/health")
        return Response.json({ status: "ok", endpoint: "/v1" });
      if (path === MODELS_PATH) return listModels(deps);
      if (path.startsWith(`${MODELS_PATH}/`)) return showModel(deps, path);
      break;
    case "OPTIONS":
      return new Response(null, { status: 204, headers: { allow: "GET, HEAD, POST, OPTIONS" } });
    default:
      return appError(405, "method_not_allowed", "This endpoint takes GET, HEAD and POST.", {
        headers: { allow: "GET, HEAD, POST, OPTIONS" },
      });
  }
  return appError(
    404,
    "not_found",
    "There is nothing here. Requests go to /v1/…, models are at /v1/models.",
  );
}

async function post(deps: HandleDeps, request: Request, target: string): Promise<Response> {
  const body = await deps.bodies.read(request);
  if (!body.ok) return refuseBody(body);
  try {
    const model = await namedModel(request.headers, body.value.bytes);
    if (model === undefined) {
      return appError(400, "model_required", "The body must name a model.", { param: "model" });
    }
    await deps.enrolled();
    if ((await deps.models.has(model)) === false) return unknownModel(deps, model);
    return await carry(deps, {
      model,
      target,
      headers: request.headers,
      body: body.value.bytes,
      signal: request.signal,
      requestId: crypto.randomUUID(),
    });
  } catch (error) {
    return coordinatorError(error, 0);
  } finally {
    body.value.release();
  }
}

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

async function listModels(deps: HandleDeps): Promise<Response> {
  try {
    await deps.enrolled();
    return Response.json(await deps.models.list());
  } catch (error) {
    return coordinatorError(error, 0);
  }
}

async function showModel(deps: HandleDeps, path: string): Promise<Response> {
  const id = unescaped(path.slice(MODELS_PATH.length + 1));
  try {
    await deps.enrolled();
    const { data } = await deps.models.list();
    const model = data.find((one) => one.id === id);
    return model === undefined ? await unknownModel(deps, id) : Response.json(model);
  } catch (error) {
    return coordinatorError(error, 0);
  }
}

async function unknownModel(deps: HandleDeps, id: string): Promise<Response> {
  const { data } = await deps.models.list();
  const there = data.slice(0, SHOWN_MODELS).map((model) => model.id);
  const rest = data.length > there.length ? ` and ${data.length - there.length} more` : "";
  const list =
    there.length === 0 ? "No model is offered now." : `There is: ${there.join(", ")}${rest}.`;
  return appError(
    404,
    "model_not_found",
    `No node offers the model ${JSON.stringify(id)}. ${list}`,
    {
      param: "model",
    },
  );
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // Not escaped, then it stands as it is.
  }
}
