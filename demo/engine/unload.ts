import type { Engine } from "./voice";

/** Texts and numbers of a JSON body; none for what is no object. */
export async function readFields(
  request: Request,
): Promise<Readonly<Record<string, string | number>>> {
  const body: unknown = await request.json().catch(() => null);
  const fields: [string, unknown][] = Object.entries(body ?? {});
  return Object.fromEntries(
    fields.filter((field): field is [string, string | number] =>
      ["string", "number"].includes(typeof field[1]),
    ),
  );
}

/** Takes a model out of memory; false where the engine has none of that name. */
export function unload(engine: Engine, id: unknown): boolean {
  const isThere = engine.models.some((model) => model.id === id);
  engine.models = engine.models.map((model) =>
    model.id === id ? { ...model, loaded: false } : model,
  );
  return isThere;
}
