import type { ModelList } from "#protocol/directory";
import { aliasModels } from "./aliases";
import { appError } from "./app-error";
import { coordinatorError } from "./coordinator-error";
import type { LocalEngines } from "../local-engines";
import type { Models } from "./model-list";
import type { Networks, PickRefusal } from "../networks";

/** Models that a refusal names, at most. */
const SHOWN_MODELS = 20;

type Deps = {
  readonly networks: Networks;
  readonly local?: LocalEngines | undefined;
  /** This client's own names for models. */
  readonly aliases: ReadonlyMap<string, string>;
  readonly enrolled: () => Promise<unknown>;
};
type Model = ModelList["data"][number];

/**
 * `GET /v1/models`: those of this machine's engines, whether or not a coordinator can be reached, and of the networks;
 * those of other networks than the usual one have their network in front. Then this client's own names for them.
 */
export async function listModels(deps: Deps): Promise<Response> {
  try {
    return Response.json({ object: "list", data: await allModels(deps) });
  } catch (error) {
    return coordinatorError(error);
  }
}

/** Throws what the api throws where nothing is known. */
async function allModels(deps: Deps): Promise<Model[]> {
  const models = await offeredModels(deps);
  return [...models, ...aliasModels(deps.aliases, models)];
}

async function offeredModels({ networks, local, enrolled }: Deps): Promise<Model[]> {
  const own = ownModels(local);
  try {
    await enrolled();
    const { main, others } = networks.desks();
    const [list, ...more] = await Promise.all([
      main.models.list(),
      ...[...others].map(([prefix, { models }]) => prefixed(prefix, models)),
    ]);
    const named = new Set(list.data.map(({ id }) => id));
    const besides = own.filter(({ id }) => !named.has(id));
    return [...list.data, ...besides, ...more.flat()];
  } catch (error) {
    if (own.length === 0) throw error;
    return own;
  }
}

function ownModels(local: LocalEngines | undefined): Model[] {
  const offers = local?.offers() ?? [];
  // Where an engine tells no time, it may not change from call to call.
  return offers.map(({ id, created_at: created = 0 }) => ({
    id,
    object: "model",
    created,
    owned_by: "local",
  }));
}

/** `GET /v1/models/{id}`; the id may hold `/` and `:`, escaped or not. */
export async function showModel(deps: Deps, escapedId: string): Promise<Response> {
  const { networks, local, enrolled } = deps;
  const id = unescaped(escapedId);
  const own = ownModels(local).find((one) => one.id === id);
  if (own !== undefined) return Response.json(own);
  try {
    const alias = deps.aliases.has(id) ? await allModels(deps) : [];
    const named = alias.find((one) => one.id === id);
    if (named !== undefined) return Response.json(named);
    await enrolled();
    const picked = networks.pick(id);
    if (!picked.ok) return unusableNetwork(picked);
    const { desk, model: name } = picked.value;
    const { data } = await desk.models.list();
    const model = data.find((one) => one.id === name);
    return model === undefined
      ? await unknownModel(desk.models, name)
      : Response.json({ ...model, id });
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
    there.length === 0
      ? "No model is offered now; try again later, or lend one yourself with `troop worker`."
      : `There is: ${there.join(", ")}${rest}.`;
  const text = `No node offers the model ${JSON.stringify(id.slice(0, 256))}. ${list}`;
  return appError(404, "model_not_found", text, { param: "model" });
}

/** Why a request can't go where its model's prefix, or this client's `--network`, points. */
export function unusableNetwork({ reason, network }: PickRefusal): Response {
  const why =
    reason === "ambiguous"
      ? `You belong to several networks called ${network}; use an id: troop network list.`
      : `You do not belong to the network ${network} any more.`;
  return appError(404, "model_not_found", why, { param: "model" });
}

/** None where they can't be had: the others are of use without them. */
async function prefixed(prefix: string, models: Models): Promise<ModelList["data"]> {
  try {
    const { data } = await models.list();
    return data.map(({ alias_of: target, ...model }) => ({
      ...model,
      id: `${prefix}/${model.id}`,
      ...(target !== undefined && { alias_of: `${prefix}/${target}` }),
    }));
  } catch {
    return [];
  }
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // Not escaped, then it stands as it is.
  }
}
