import type { ModelList } from "#protocol/directory";
import type { CoordinatorApi } from "../coordinator/api";

/** A list this fresh is not asked for again. */
const FRESH_MS = 15_000;
/** A list this old is not shown any more while the coordinator is away. */
const STALE_MS = 60 * 60_000;

export type Models = {
  /** What nodes offer; a little old rather than late. Throws what the api throws where there is no list to show. */
  list(): Promise<ModelList>;
  /** Whether a model is offered; looks again, once, before it says no. `undefined`: nobody could be asked. */
  has(id: string): Promise<boolean | undefined>;
};

export function createModels(models: CoordinatorApi["models"], nowMs: () => number): Models {
  let known: { readonly list: ModelList; readonly atMs: number } | undefined;
  let asking: Promise<ModelList> | undefined;

  function ask(): Promise<ModelList> {
    asking ??= models()
      .then((list) => {
        known = { list, atMs: nowMs() };
        return list;
      })
      .finally(() => (asking = undefined));
    return asking;
  }

  const has = (list: ModelList, id: string) => list.data.some((model) => model.id === id);

  return {
    async list() {
      const ageMs = known === undefined ? Infinity : nowMs() - known.atMs;
      if (known === undefined || ageMs > STALE_MS) return ask();
      if (ageMs < FRESH_MS) return known.list;
      // A change is seen at once where the coordinator answers; what is known is the answer where it does not.
      return ask().catch(() => known?.list ?? { object: "list", data: [] });
    },
    async has(id) {
      if (known !== undefined && has(known.list, id)) return true;
      return ask().then(
        (list) => has(list, id),
        () => undefined,
      );
    },
  };
}
