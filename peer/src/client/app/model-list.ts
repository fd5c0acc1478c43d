import type { ModelList } from "#protocol/directory";

/** A list this fresh is not asked for again. */
const FRESH_MS = 15_000;
/** A model that is missing from a list this fresh is missing. */
const FRESH_FOR_NO_MS = 250;
/** Aliases this old are asked for again, while they are in use. */
const ALIASES_FRESH_MS = 60_000;
/** A list this old is not shown any more while the coordinator is away. */
const STALE_MS = 60 * 60_000;
/** How long an older list waits for a newer one before it is shown itself. */
const WAIT_FOR_NEWER_MS = 500;

export type Models = {
  /** What nodes offer; a little old rather than late. Throws what the api throws where there is no list to show. */
  list(): Promise<ModelList>;
  /** The same, asked for now. */
  newest(): Promise<ModelList>;
  /** The model behind a name that the whole network knows; from what is known, without asking. */
  aliasOf(id: string): string | undefined;
  /** Whether a model is offered; looks again, once, before it says no. `undefined`: nobody could be asked. */
  has(id: string): Promise<boolean | undefined>;
};

export type ModelsOptions = {
  readonly nowMs: () => number;
  /** Resolves after so many milliseconds. */
  readonly wait?: (ms: number) => Promise<void>;
};

export function createModels(
  models: () => Promise<ModelList>,
  { nowMs, wait = Bun.sleep }: ModelsOptions,
): Models {
  let known: { readonly list: ModelList; readonly atMs: number } | undefined;
  let aliases: ReadonlyMap<string, string> = new Map();
  let asking: Promise<ModelList> | undefined;
  const ageMs = (): number => (known === undefined ? Infinity : nowMs() - known.atMs);
  const isIn = (list: ModelList, id: string): boolean => list.data.some((one) => one.id === id);

  function ask(): Promise<ModelList> {
    asking ??= models()
      .then((list) => {
        known = { list, atMs: nowMs() };
        aliases = aliasesIn(list);
        return list;
      })
      .finally(() => {
        asking = undefined;
      });
    return asking;
  }

  /** What is known, where it may still be shown. */
  function shown(error: unknown): ModelList {
    if (known === undefined || ageMs() > STALE_MS) throw error;
    return known.list;
  }

  return {
    async list() {
      if (known === undefined || ageMs() > STALE_MS) return ask();
      const { list } = known;
      if (ageMs() < FRESH_MS) return list;
      // A change is seen at once where the coordinator answers at once.
      const newer = ask().catch(() => list);
      return Promise.race([newer, wait(WAIT_FOR_NEWER_MS).then(() => list)]);
    },
    aliasOf(id) {
      // They may change while no app asks for the list.
      if (aliases.size > 0 && ageMs() > ALIASES_FRESH_MS) ask().catch(() => {});
      return aliases.get(id);
    },
    newest: () => ask().catch((error: unknown) => shown(error)),
    async has(id) {
      if (known !== undefined && isIn(known.list, id)) return true;
      if (ageMs() < FRESH_FOR_NO_MS) return false;
      return ask().then(
        (list) => isIn(list, id),
        () => undefined,
      );
    },
  };
}

function aliasesIn({ data }: ModelList): Map<string, string> {
  const pairs = data.map(({ id, alias_of: target }) => [id, target] as const);
  return new Map(pairs.filter((pair): pair is readonly [string, string] => pair[1] !== undefined));
}
