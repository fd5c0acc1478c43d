import { appError } from "./app-error";
import { coordinatorError } from "./coordinator-error";
import type { Models } from "./model-list";

/** Models that a refusal names, at most. */
const SHOWN_MODELS = 20;

type Deps = { readonly models: Models; readonly enrolled: () => Promise<unknown> };

/** `GET /v1/models` */
export async function listModels({ models, enrolled }: Deps): Promise<Response> {
  try {
    await enrolled();
    return Response.json(await models.list());
  } catch (error) {
    return coordinatorError(error);
  }
}

/** `GET /v1/models/{id}`; the id may hold `/` and `:`, escaped or not. */
export async function showModel({ models, enrolled }: Deps, escapedId: string): Promise<Response> {
  const id = unescaped(escapedId);
  try {
    await enrolled();
    const { data } = await models.list();
    const model = data.find((one) => one.id === id);
    return model === undefined ? await unknownModel(models, id) : Response.json(model);
  } catch (error) {
    return coordinatorError(error);
  }
}

/** 404 that lists what is there. Throws what the api throws where nothing is known. */
export async function unknownModel(models: Models, id: string): Promise<Response> {
  const known = await models.list();
  // A list that still has it is older than the refusal.
  const isOld = known.data.some((one) => one.id === id);
  const newest = isOld ? await models.newest() : known;
  const data = newest.data.filter((one) => one.id !== id);
  const there = data.slice(0, SHOWN_MODELS).map((model) => model.id);
  const rest = data.length > there.length ? ` and ${data.length - there.length} more` : "";
  const list =
    there.length === 0 ? "No model is offered now." : `There is: ${there.join(", ")}${rest}.`;
  const text = `No node offers the model ${JSON.stringify(id.slice(0, 256))}. ${list}`;
  return appError(404, "model_not_found", text, { param: "model" });
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // Not escaped, then it stands as it is.
  }
}
