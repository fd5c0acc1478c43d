import type { ModelList } from "#protocol/directory";

type Model = ModelList["data"][number];

/** Aliases of models in a list, as models of their own; a name that is in the list stays what it is. */
export function aliasModels(aliases: ReadonlyMap<string, string>, list: readonly Model[]): Model[] {
  const byId = new Map(list.map((model) => [model.id, model]));
  return [...aliases].flatMap(([id, target]) => {
    const model = byId.get(target);
    return model === undefined || byId.has(id) ? [] : [{ ...model, id, alias_of: target }];
  });
}
